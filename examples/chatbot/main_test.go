package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestChatbotAnswers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	binary := filepath.Join(t.TempDir(), "chatbot")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.CommandContext(ctx, binary, "-once").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		"contact: Is tea still available?",
		`bot: got message.created, signature verified: "Is tea still available?"`,
		`host: to the contact: You said "Is tea still available?". Yes!`,
		"bot: got message.updated: my message is delivered",
	} {
		if strings.Count(string(out), want) != 1 {
			t.Errorf("want %q once in:\n%s", want, out)
		}
	}
}
