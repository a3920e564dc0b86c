package sender

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// origin is a server that counts its requests by protocol and keeps their ids.
type origin struct {
	*httptest.Server
	mu     sync.Mutex
	protos map[string]int
	ids    map[string]bool
}

func newOrigin(t *testing.T, http2 bool, status int) *origin {
	t.Helper()
	o := &origin{protos: map[string]int{}, ids: map[string]bool{}}
	o.Server = httptest.NewUnstartedServer(http.HandlerFunc(
		func(writer http.ResponseWriter, request *http.Request) {
			if request.Method != http.MethodPost || request.PostFormValue("call") != "inbound" {
				t.Errorf("%s with the form %v", request.Method, request.PostForm)
			}
			o.mu.Lock()
			o.protos[request.Proto]++
			o.ids[request.Header.Get("Webhook-Id")] = true
			o.mu.Unlock()
			time.Sleep(10 * time.Millisecond) // else one connection may do for all
			writer.WriteHeader(status)
		}))
	o.EnableHTTP2 = http2
	o.StartTLS()
	t.Cleanup(o.Close)
	return o
}

func planFor(http2 bool, origins ...*origin) plan {
	p := plan{http2: http2, requests: 60, warmUp: 20, inFlight: 8}
	for _, each := range origins {
		p.origins = append(p.origins, each.URL)
		p.trusted = each.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	}
	return p
}

func TestRequestsGoToAllOriginsByTheProtocol(t *testing.T) {
	for proto, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		first, second := newOrigin(t, true, http.StatusOK), newOrigin(t, true, http.StatusOK)
		found, err := measure(t.Context(), planFor(http2, first, second))
		if err != nil || found.Errors != 0 || found.Requests != 60 {
			t.Fatalf("%s: %+v %v", proto, found, err)
		}
		for _, each := range []*origin{first, second} { // one to connect, and half of the others
			if each.protos[proto] != 41 || len(each.ids) != 41 {
				t.Errorf("%s: came %v with %d ids", proto, each.protos, len(each.ids))
			}
		}
		if http2 != (found.Connections == 2) {
			t.Errorf("%s: %d connections", proto, found.Connections)
		}
		if found.CPU <= 0 || found.Wall < 0.07 || found.P50 < 10 || found.P99 < found.P50 {
			t.Errorf("%s: %+v", proto, found)
		}
	}
}

func TestAnOriginThatCannotBeConnectedToIsAnError(t *testing.T) {
	plain := newOrigin(t, false, http.StatusOK)
	if _, err := measure(t.Context(), planFor(true, plain)); err == nil {
		t.Error("HTTP/2 with a server that does not offer it")
	}
	untrusted := planFor(false, plain)
	untrusted.trusted = nil
	if _, err := measure(t.Context(), untrusted); err == nil {
		t.Error("a certificate of an authority that is not trusted")
	}
}

func TestAnswersOtherThan200AreErrors(t *testing.T) {
	s := newSender(planFor(true, newOrigin(t, true, http.StatusInternalServerError)))
	s.sendAll(t.Context(), make([]time.Duration, 5))
	if s.failed.Load() != 5 {
		t.Errorf("%d of 5 failed", s.failed.Load())
	}
}
