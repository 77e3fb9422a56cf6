package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/outhook/outhook/internal/bench/chart"
)

// The names of what the command writes, in the folder of the documents.
const (
	pageFile    = "peers.md"
	pictureFile = "peers.svg"
)

// writePages writes the page and the picture.
func (m *measured) writePages(docs string) error {
	if err := os.WriteFile(filepath.Join(docs, pageFile), m.page(), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(docs, pictureFile), m.picture().SVG(), 0o644)
}

// table returns the figures as a table in Markdown.
func (m *measured) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| | keeps events through | singly ÷ raw | batches of %d ÷ raw | "+
		"p50, ms | p99, ms | CPU ms per 1,000 | memory, MiB | lost | twice |\n"+
		"|---|---|---|---|---|---|---|---|---|---|\n", batchSize)
	for _, f := range m.Peers {
		fmt.Fprintf(&b, "| %s | %s |", f.label(), f.Keeps)
		if f.Skipped != "" {
			fmt.Fprintf(&b, " not run: %s | | | | | | | |\n", f.Skipped)
			continue
		}
		fmt.Fprintf(&b, " %s | %s | %s | %s |", or(f.Singly, "%.2f", "failed"),
			or(f.Batches, "%.2f", "–"), figure(f.P50), figure(f.P99))
		fmt.Fprintf(&b, " %s | %s | %d | %d |\n", sum(f.CPU, f.ServerCPU), sum(f.Memory, f.Resident),
			f.Lost, f.Doubled)
	}
	for _, f := range m.Peers {
		for _, failed := range f.Failed {
			fmt.Fprintf(&b, "\n%s failed: %s\n", f.Name, failed)
		}
	}
	return b.String()
}

// wrapped breaks a text into lines of 100 columns at most.
func wrapped(text string) string {
	var b strings.Builder
	column := 0
	for word := range strings.FieldsSeq(text) {
		n := len([]rune(word))
		switch {
		case column == 0:
		case column+1+n > 100:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += n
	}
	return b.String()
}

// label is the name with its version.
func (f *figures) label() string {
	if f.Version == "" {
		return f.Name
	}
	name, how, ok := strings.Cut(f.Name, ",")
	if name += " " + f.Version; ok {
		name += "," + how
	}
	return name
}

// or prints a figure, or a word if there is none.
func or(v float64, format, without string) string {
	if v == 0 {
		return without
	}
	return fmt.Sprintf(format, v)
}

// figure prints a time in ms.
func figure(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return or(v, "%.1f", "failed")
}

// sum prints what the sender and its server take.
func sum(sender, server float64) string {
	if server == 0 {
		return fmt.Sprintf("%.0f", sender)
	}
	return fmt.Sprintf("%.0f + %.0f", sender, server)
}

// page returns the page.
func (m *measured) page() []byte {
	var b strings.Builder
	b.WriteString("# Measured beside the others\n\n" +
		"<!-- Written by `go run .` in internal/bench/peers, and by -draw. Don't edit it. -->\n\n" +
		"The same work by each: take events durably, deliver each by a signed POST to a receiver in a\n" +
		"process of its own, and record that as done. Run it yourself:\n\n" +
		"```\ncd internal/bench/peers && go run .\n```\n\n")
	with := strings.Join(append([]string{m.Machine}, m.With...), ", ")
	b.WriteString(wrapped(fmt.Sprintf("Measured on %s, on %s. %s of about %s. Raw made %.0f "+
		"deliveries a second.", m.Date, with, count(m.Rounds, "round"), m.Lasts, m.Raw)) + "\n")
	if m.Note != "" {
		fmt.Fprintf(&b, "\n%s\n", wrapped("**"+m.Note+"**"))
	}
	fmt.Fprintf(&b, "\n![Deliveries a second as a share of raw, latency, CPU](%s)\n\n", pictureFile)
	b.WriteString(m.table())
	fmt.Fprintf(&b, `
- **÷ raw**: deliveries a second as a share of what a plain net/http client made just before and
  after, which stores nothing; medians of the rounds. Singly is 16 publishers with one event each.
- **p50, p99**: from publish to arrival at %d events a second.
- **CPU and memory**: of the sender's process, + of its server's processes, singly. Memory is
  anonymous memory, at most for the sender and at the end for the server; PostgreSQL has 512 MiB
  of shared buffers beside it.
- **keeps events through**: what an event survives once publish has returned.
- **lost, twice**: of all events of all rounds. The run fails if one is lost.

outhook also keeps the history of each delivery, looks up who wants an event, checks each address
and is ready to retry; what is done by hand here does nothing but the work. How each is tuned is in
[the command's documentation](../internal/bench/peers/doc.go); when to take which is in
[comparison.md](comparison.md).
`, m.Rate)
	return []byte(b.String())
}

func count(n int, what string) string {
	if n == 1 {
		return "One " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// picture draws the figures.
func (m *measured) picture() chart.Picture {
	rates := panel{
		Heading: "Deliveries a second, as a share of raw",
		Series:  []string{"one event each", fmt.Sprintf("batches of %d", batchSize)},
	}
	latency := panel{
		Heading: fmt.Sprintf("From publish to arrival at %d events a second", m.Rate),
		Series:  []string{"p50", "p99"}, Kind: chart.Ranges,
	}
	cpu := panel{
		Heading: "CPU for 1,000 events", Series: []string{"sender", "its server"}, Kind: chart.Stack,
	}
	for _, f := range m.Peers {
		if f.Skipped != "" {
			continue
		}
		bars := fmt.Sprintf("%.2f", f.Singly)
		if f.Batches > 0 {
			bars += fmt.Sprintf(" · %.2f", f.Batches)
		}
		rates.add(f, bars, f.Singly, f.Batches)
		latency.add(f, figure(f.P50)+" – "+figure(f.P99)+" ms", f.P50, f.P99)
		cpu.add(f, sum(f.CPU, f.ServerCPU)+" ms", f.CPU, f.ServerCPU)
	}
	title := "The same webhooks by outhook and by others"
	subtitle := fmt.Sprintf("%s, %s; medians of %s", m.Date, m.Machine,
		strings.ToLower(count(m.Rounds, "round")))
	return chart.Picture{Title: title, Subtitle: subtitle, Note: m.Note, Panels: []chart.Panel{
		chart.Panel(rates), chart.Panel(latency), chart.Panel(cpu),
	}}
}

// panel is a panel in the making.
type panel chart.Panel

// add adds a row: without values when the first is missing, and without those that are.
func (p *panel) add(f figures, text string, values ...float64) {
	row := chart.Row{Label: f.Name, Ours: f.Ours, Text: "failed"}
	if values[0] > 0 {
		row.Text = text
		for _, v := range values {
			if v > 0 {
				row.Values = append(row.Values, v)
			}
		}
	}
	p.Rows = append(p.Rows, row)
}
