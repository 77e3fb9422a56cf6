// A host of the released modules. The test copies main.go and those of the other files whose
// modules it requires.
package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// parts are what the other files do.
var parts = make(map[string]func(context.Context) error)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for name, part := range parts {
		if err := part(ctx); err != nil {
			fmt.Fprintln(os.Stderr, name+":", err)
			os.Exit(1)
		}
		fmt.Println(name, "works")
	}
}
