// Chatbot is Airy's whole integration pattern: a tiny chat host with /messages.send and
// /webhooks.*, and a bot in another process. The bot subscribes, verifies deliveries, recognizes
// repetitions, answers message.created by calling messages.send, and gets message.updated when its
// message is delivered.
//
//	go run ./examples/chatbot         a contact says something, the bot answers; then type lines
//	go run ./examples/chatbot -once   exits after the first answer
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	once := flag.Bool("once", false, "exit when the bot has answered")
	bot := flag.String("bot", "", "be the bot of the chat host at this address")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if *bot != "" {
		err = runBot(ctx, os.Stdout, *bot)
	} else {
		err = runDemo(ctx, os.Stdin, os.Stdout, *once)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chatbot:", err)
		os.Exit(1)
	}
}

// runDemo runs the chat host here and the bot as a child process, and plays the contact.
func runDemo(ctx context.Context, in io.Reader, out io.Writer, once bool) error {
	h, err := startHost(out)
	if err != nil {
		return err
	}
	defer h.stop()
	fmt.Fprintf(out, "host: the chat is at http://%s\n", h.addr)

	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	child := exec.CommandContext(ctx, self, "-bot", h.addr)
	child.Stdout, child.Stderr = out, os.Stderr
	child.Cancel = func() error { return child.Process.Signal(os.Interrupt) }
	if err := child.Start(); err != nil {
		return err
	}
	defer child.Wait()
	defer cancel()

	select { // the bot subscribes by itself
	case <-h.subscribed:
	case <-ctx.Done():
		return nil
	}
	if err := h.contactSays(ctx, "Is tea still available?"); err != nil {
		return err
	}
	select {
	case <-h.answered:
	case <-ctx.Done():
		return nil
	}
	h.wait(ctx)
	if once {
		return nil
	}
	fmt.Fprintln(out, "Type what the contact says; Ctrl-C ends.")
	lines := bufio.NewScanner(in)
	for ctx.Err() == nil && lines.Scan() {
		if err := h.contactSays(ctx, lines.Text()); err != nil {
			return err
		}
	}
	return lines.Err()
}
