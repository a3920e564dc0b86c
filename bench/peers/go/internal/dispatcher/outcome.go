package dispatcher

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
	"time"

	"peers/internal/stream"
)

// outcome is what comes of a try.
type outcome struct {
	name   string // delivered, retry or dead
	dueAt  *int64 // of a retry, microseconds since 1970
	class  string // from the closed list of errors; empty on success
	detail string // for people
}

// jitter is added to a delay at most, as a share of it.
const jitter = 0.1

// judge says what comes of an answer, or of none.
func judge(one answer, attempt int64, now time.Time, settings stream.Settings) outcome {
	if one.status >= 200 && one.status < 300 {
		return outcome{name: "delivered"}
	}
	result := outcome{name: "dead", class: "status", detail: fmt.Sprintf("the server answered %d", one.status)}
	again := one.status == 408 || one.status == 425 || one.status == 429 || one.status >= 500
	if one.err != nil {
		result.class, result.detail = classOf(one), one.err.Error()
		again = true
	}
	// What was tried again already is not read by this peer: a later failure ends it, visibly.
	if again && attempt <= 1 {
		delay := time.Duration(float64(settings.FirstRetryDelay) * (1 + jitter*rand.Float64()))
		dueAt := now.Add(delay).UnixMicro()
		result.name, result.dueAt = "retry", &dueAt
	}
	return result
}

// classOf names the error of a request that had no answer.
func classOf(one answer) string {
	connected, duringTLS := one.timings.phase()
	var (
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		record      tls.RecordHeaderError
		network     net.Error
	)
	switch err := one.err; {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "timeout"
	case errors.As(err, &dns):
		return "dns"
	case errors.As(err, &network) && network.Timeout():
		return "timeout"
	case errors.As(err, &certificate), errors.As(err, &authority), errors.As(err, &record), duringTLS:
		return "tls"
	case !connected:
		return "connect"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "closed"
	default:
		return "protocol"
	}
}

// fault says whose a failure is.
func fault(class string) string {
	switch class {
	case "":
		return ""
	case "unrenderable", "unsupported":
		return "ours"
	default:
		return "customer"
	}
}
