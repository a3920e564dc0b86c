// Package stream is what the peers share of Kafka: settings, a consumer group whose offsets are
// committed once what came of them is acknowledged, and a producer.
package stream

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Settings come from the environment that the stages of this project are given.
type Settings struct {
	Brokers           []string
	Prefix            string // in front of every topic and group
	InFlight          int    // requests under way in all
	InFlightPerAction int
	Deadline          time.Duration // of one request, all of it
	MaxResponseBytes  int64
	FirstRetry        string // the delay that names the retry topic, as written: 5s
	FirstRetryDelay   time.Duration
}

// FromEnvironment reads the settings; an error names the variable.
func FromEnvironment() (Settings, error) {
	env := environment{}
	first, _, _ := strings.Cut(env.text("DISPATCHER_RETRY_SCHEDULE", "5s"), ",")
	settings := Settings{
		Brokers:           strings.Split(env.text("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092"), ","),
		Prefix:            env.text("TOPIC_PREFIX", "pca."),
		InFlight:          int(env.number("DISPATCHER_IN_FLIGHT", 2000)),
		InFlightPerAction: int(env.number("DISPATCHER_IN_FLIGHT_PER_ACTION", 16)),
		Deadline:          time.Duration(env.number("DISPATCHER_DEADLINE", 15) * float64(time.Second)),
		MaxResponseBytes:  int64(env.number("DISPATCHER_MAX_RESPONSE_BYTES", 64*1024)),
		FirstRetry:        strings.TrimSpace(first),
	}
	delay, err := time.ParseDuration(settings.FirstRetry)
	if err != nil && env.err == nil {
		env.err = fmt.Errorf("PCA_DISPATCHER_RETRY_SCHEDULE: %w", err)
	}
	settings.FirstRetryDelay = delay
	return settings, env.err
}

// environment reads variables and keeps the first error.
type environment struct {
	err error
}

func (e *environment) text(name, otherwise string) string {
	if value := os.Getenv("PCA_" + name); value != "" {
		return value
	}
	return otherwise
}

func (e *environment) number(name string, otherwise float64) float64 {
	text := e.text(name, "")
	if text == "" {
		return otherwise
	}
	value, err := strconv.ParseFloat(text, 64)
	if err == nil && value <= 0 {
		err = fmt.Errorf("%s is not above zero", text)
	}
	if err != nil && e.err == nil {
		e.err = fmt.Errorf("PCA_%s: %w", name, err)
	}
	return value
}
