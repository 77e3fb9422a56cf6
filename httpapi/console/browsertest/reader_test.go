package browsertest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/outhook/outhook/httpapi/console/browsertest/internal/browser"
)

// A screen reader is told what each part of a page is, and how it is called: the page's regions and
// headings, what its tables have, what a chart shows, and what a link or a button does. On a narrow
// screen a table looks like cards, and is told as a table.
func TestScreenReader(t *testing.T) {
	open(t)
	frame := []string{"banner ", "search ", "searchbox Find an event by its ID", "navigation Pages",
		"main ", "contentinfo "}
	for _, page := range []struct {
		path string
		want []string
	}{
		{"/admin/", []string{"heading Overview", "heading Last hour",
			"table Webhooks that need attention, worst first", "columnheader Why",
			"table Webhooks with the most pending deliveries"}},
		{"/portal/list", []string{"heading Webhooks 10", "table Webhooks, oldest first",
			"columnheader Webhook", "textbox Name or URL", "combobox State", "button Show",
			"link Add a webhook"}},
		{"/portal/deliveries", []string{"heading Deliveries", "table Deliveries, newest first",
			"button Redeliver selected", "navigation More rows"}},
		{"/portal/new", []string{"heading Add a webhook", "textbox URL", "group Event types",
			"checkbox order.created A customer has placed an order.", "textbox Name of header",
			"button Add webhook"}},
	} {
		for _, look := range []browser.Look{browser.Looks()[0], browser.Looks()[2]} {
			t.Run(page.path+" "+look.Name, func(t *testing.T) {
				if err := one.Open(page.path, look); err != nil {
					t.Fatal(err)
				}
				told, err := one.Tree()
				if err != nil {
					t.Fatal(err)
				}
				var all []string
				for _, n := range told {
					all = append(all, fmt.Sprintf("%s %s", n.Role, n.Name))
					switch n.Role {
					case "link", "button", "textbox", "searchbox", "combobox", "checkbox", "table", "image",
						"columnheader":
						if n.Name == "" {
							t.Errorf("a %s has no name", n.Role)
						}
					}
				}
				for _, want := range append(frame, page.want...) {
					// A card has no line of headers: each of its cells says what it is of.
					column, isHeader := strings.CutPrefix(want, "columnheader ")
					inCards := isHeader && look.Width < 600 && slices.ContainsFunc(all, func(s string) bool {
						return strings.HasPrefix(s, "cell "+column+" ")
					})
					if !slices.Contains(all, want) && !inCards {
						t.Errorf("nobody is told of %q; of %q", want, all)
					}
				}
			})
		}
	}
}
