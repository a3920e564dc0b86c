package dispatcher

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const userAgent = "PostCallAction/1"

// request is what goes over the wire; nothing encodes it again.
type request struct {
	http *http.Request
	url  string
}

var urls = sync.Pool{New: func() any { return new([]byte) }}

// newRequest makes the request for one try at a dispatch.
func (a *action) newRequest(d *dispatch, now time.Time) (*request, *unsendable) {
	headers, err := tryHeaders(d, now)
	if err != nil {
		return nil, err
	}
	scratch := urls.Get().(*[]byte)
	defer urls.Put(scratch)
	*scratch = a.fill((*scratch)[:0], d)
	full := string(*scratch)
	if len(full) > maxURL {
		return nil, &unsendable{"url_too_long",
			fmt.Sprintf("the URL has %d characters, %d may be sent", len(full), maxURL)}
	}
	made := &http.Request{
		Method: http.MethodGet,
		// As an opaque part the path goes out as it was typed.
		URL:        &url.URL{Scheme: a.scheme, Host: a.host, Opaque: a.path},
		Host:       a.host,
		Header:     headers,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
	}
	if len(full) >= a.queryAt {
		made.URL.RawQuery = full[a.queryAt:]
		made.URL.ForceQuery = true
	}
	return &request{made, full}, nil
}

// tryHeaders are those of one try. The names are on the wire as they stand here. All tries of a
// dispatch are one trace, each a span of it.
func tryHeaders(d *dispatch, now time.Time) (http.Header, *unsendable) {
	id := d.DispatchID
	if id == "" || len(id) > 100 || !consistsOf(id, &idCharacters) {
		return nil, &unsendable{"unrenderable", fmt.Sprintf("%.100q is no dispatch id", id)}
	}
	trace := strings.ReplaceAll(id, "-", "")
	if len(trace) != 32 || !consistsOf(trace, &hexDigits) || strings.Trim(trace, "0") == "" {
		hash := sha256.Sum256([]byte(id))
		trace = hex.EncodeToString(hash[:16])
	}
	span := uint64(d.Attempt&0xFF)<<56 | uint64(now.UnixMicro())&0xFF_FFFF_FFFF_FFFF
	values := [...]string{
		userAgent, "*/*", id, strconv.FormatInt(now.Unix(), 10), strconv.FormatInt(d.Attempt, 10),
		traceparent(trace, max(span, 1)),
	}
	return http.Header{
		"User-Agent":        values[0:1:1],
		"Accept":            values[1:2:2],
		"webhook-id":        values[2:3:3],
		"webhook-timestamp": values[3:4:4],
		"webhook-attempt":   values[4:5:5],
		"traceparent":       values[5:6:6],
	}, nil
}

func traceparent(trace string, span uint64) string {
	text := append(make([]byte, 0, 55), "00-"...)
	text = append(append(text, trace...), '-')
	for shift := 60; shift >= 0; shift -= 4 {
		text = append(text, "0123456789abcdef"[span>>shift&15])
	}
	return string(append(text, "-01"...))
}

var (
	hexDigits    = characters("0123456789abcdef")
	idCharacters = characters("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
)

func consistsOf(text string, allowed *[256]bool) bool {
	for n := range len(text) {
		if !allowed[text[n]] {
			return false
		}
	}
	return true
}
