package sender

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"syscall"
	"time"
)

// report is what the measured requests cost; connections and memory are those of the warm-up too.
type report struct {
	Requests    int     `json:"requests"`
	Errors      int64   `json:"errors"`
	CPU         float64 `json:"cpu_us"` // of this process, user and system, microseconds a request
	Wall        float64 `json:"wall_s"`
	P50         float64 `json:"p50_ms"`
	P99         float64 `json:"p99_ms"`
	Connections int64   `json:"connections"`  // opened
	Memory      int64   `json:"memory_bytes"` // grown by, connections idle, after a collection
}

// measure connects, warms up, and sends what is measured.
func measure(ctx context.Context, p plan) (report, error) {
	s := newSender(p)
	defer s.transport.CloseIdleConnections()
	took := make([]time.Duration, p.requests)
	before := resident()
	if err := s.connect(ctx); err != nil {
		return report{}, err
	}
	s.sendAll(ctx, make([]time.Duration, p.warmUp))
	cpu, err := cpuTime()
	if err != nil {
		return report{}, err
	}
	start := time.Now()
	s.sendAll(ctx, took)
	wall := time.Since(start)
	after, err := cpuTime()
	if err != nil {
		return report{}, err
	}
	grown := resident() - before
	slices.Sort(took)
	return report{
		Requests:    p.requests,
		Errors:      s.failed.Load(),
		CPU:         float64((after - cpu).Nanoseconds()) / 1e3 / float64(p.requests),
		Wall:        wall.Seconds(),
		P50:         milliseconds(took[len(took)/2]),
		P99:         milliseconds(took[len(took)*99/100]),
		Connections: s.opened.Load(),
		Memory:      grown,
	}, ctx.Err()
}

func milliseconds(took time.Duration) float64 {
	return float64(took.Nanoseconds()) / 1e6
}

// cpuTime is what this process has used.
func cpuTime() (time.Duration, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, err
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}

// resident are the bytes that the runtime holds, when it has collected and given back what it can.
func resident() int64 {
	debug.FreeOSMemory()
	found := []metrics.Sample{
		{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(found)
	return int64(found[0].Value.Uint64() - found[1].Value.Uint64())
}
