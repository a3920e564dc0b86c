package dispatcher

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"peers/internal/records"
)

const maxURL = 8000 // characters; servers and proxies differ above it

// unsendable is why no request can be made of a dispatch.
type unsendable struct {
	class  string // one of the closed list in attempts
	detail string
}

func (u *unsendable) Error() string {
	return u.detail
}

func unsupported(format string, arguments ...any) *unsendable {
	return &unsendable{"unsupported", fmt.Sprintf(format, arguments...)}
}

// action is one ready to be filled in.
type action struct {
	scheme, host, path string
	url                string // with its static parameters
	joint              string // what stands between it and the first dynamic parameter
	queryAt            int    // where the query begins in the whole URL
	names              [][]byte
	values             []value
	client             *client
}

// neverInURL are control characters, spaces, fragments, and all that is not ASCII.
var neverInURL = regexp.MustCompile(`[^\x21-\x7e]|#`)

// compileAction works out what is the same for all dispatches of an action. What this peer does not
// do is refused, never left out in silence.
func compileAction(record *records.ActionFields, clients *clients) (*action, *unsendable) {
	if err := supported(record); err != nil {
		return nil, err
	}
	compiled, err := target(record.TargetURL)
	if err != nil {
		return nil, err
	}
	for _, parameter := range record.Parameters {
		fill, known := placeholders[parameter.Placeholder]
		if !known {
			return nil, unsupported("placeholder %q is none of the twelve that this peer renders",
				parameter.Placeholder)
		}
		if parameter.Transform != "" || parameter.OmitEmpty {
			return nil, unsupported("parameter %q has a transform, or may be left out", parameter.Name)
		}
		joint := "&"
		if len(compiled.names) == 0 {
			joint = compiled.joint
		}
		name := append(appendEncoded([]byte(joint), parameter.Name), '=')
		compiled.names = append(compiled.names, name)
		compiled.values = append(compiled.values, fill)
	}
	compiled.client, err = clients.of(record.TLS)
	return compiled, err
}

func supported(record *records.ActionFields) *unsendable {
	switch {
	case record.Option != "call_detail" || record.Method != "GET":
		return unsupported("option %q with method %q", record.Option, record.Method)
	case record.IncludeSourceTrak || record.IncludeLeadFlow || record.OmitEmpty:
		return unsupported("blocks of parameters, or parameters that may be left out")
	case len(record.Headers) > 0 || len(record.SigningSecrets) > 0:
		return unsupported("headers of its own, or signatures")
	case record.MaxInFlight != nil || record.RateLimit != nil:
		return unsupported("limits of its own")
	}
	return nil
}

// target splits a Target URL; path and query stay as typed.
func target(typed string) (*action, *unsendable) {
	parts, err := url.Parse(typed)
	if err != nil || parts.Host == "" || (parts.Scheme != "http" && parts.Scheme != "https") {
		return nil, &unsendable{"unrenderable", "the Target URL cannot be called"}
	}
	if parts.User != nil || neverInURL.MatchString(typed) {
		return nil, unsupported("a Target URL with userinfo, or of other than ASCII")
	}
	_, rest, _ := strings.Cut(typed, "://")
	rest = rest[len(parts.Host):]
	path, query, marked := strings.Cut(rest, "?")
	if path == "" {
		path = "/"
	} else if strings.HasPrefix(path, "//") {
		return nil, unsupported("a path that begins with two slashes")
	}
	joint := "?"
	if marked {
		joint = "&"
		if query == "" || strings.HasSuffix(query, "&") {
			joint = ""
		}
	}
	base := parts.Scheme + "://" + parts.Host + path
	made := base
	if marked {
		made += "?" + query
	}
	return &action{
		scheme: parts.Scheme, host: parts.Host, path: path,
		url: made, joint: joint, queryAt: len(base) + 1,
	}, nil
}

// fill appends the URL for a dispatch.
func (a *action) fill(to []byte, d *dispatch) []byte {
	to = append(to, a.url...)
	for n, name := range a.names {
		to = a.values[n](append(to, name...), d)
	}
	return to
}
