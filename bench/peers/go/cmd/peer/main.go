// Command peer does the work of our stages with Go's usual libraries, to be measured beside them.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"peers/internal/dispatcher"
	"peers/internal/router"
	"peers/internal/sender"
	"peers/internal/sink"
	"peers/internal/stream"
)

// gcPercent lets the heap grow further between collections than Go's default of 100: with a small
// live heap collecting costs more than the memory is worth. GOGC overrules it.
const gcPercent = 400

func main() {
	log.SetFlags(log.Ltime)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}

func run(ctx context.Context, arguments []string) error {
	if len(arguments) == 0 {
		return errors.New("usage: peer dispatcher | router | send | sink [flags]")
	}
	name, arguments := arguments[0], arguments[1:]
	switch name {
	case "send":
		return sender.Run(ctx, arguments)
	case "sink":
		return sink.Run(ctx, arguments)
	}
	settings, err := stream.FromEnvironment()
	if err != nil {
		return err
	}
	switch name {
	case "dispatcher":
		return dispatcher.Run(ctx, settings)
	case "router":
		return router.Run(ctx, settings)
	}
	return fmt.Errorf("%q is none of dispatcher, router, send, sink", name)
}
