package sink

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func started(t *testing.T, s *sink, serve func(net.Listener)) string {
	t.Helper()
	s.keepTime(t.Context())
	listener, err := listenOn("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go serve(listener)
	return listener.Addr().String()
}

func expectOK(t *testing.T, response *http.Response, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != "ok" || response.StatusCode != http.StatusOK {
		t.Fatalf("%d %q %v", response.StatusCode, body, err)
	}
	if response.Header.Get("Date") == "" || response.Header.Get("Content-Type") != "text/plain" {
		t.Fatalf("headers are %v", response.Header)
	}
}

func TestAnswersWithAndWithoutBodiesOnOneConnection(t *testing.T) {
	s := &sink{delay: 20 * time.Millisecond, log: &journal{keepTargets: true}}
	address := started(t, s, func(listener net.Listener) { s.serve(listener, nil) })
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	start := time.Now()
	response, err := client.Post("http://"+address+"/a?n=7&m=1", "", bytes.NewReader(make([]byte, 9000)))
	expectOK(t, response, err)
	response, err = client.Get("http://" + address + "/b?x=" + string(bytes.Repeat([]byte{'y'}, 7000)))
	expectOK(t, response, err)
	response, err = client.Get("http://" + address + "/c?x=1&n=8")
	expectOK(t, response, err)
	if took := time.Since(start); took < 60*time.Millisecond {
		t.Errorf("three answers after 20 ms each came within %v", took)
	}
	if s.count.Load() != 3 || len(s.log.targets) != 3 || string(s.log.targets[2]) != "/c?x=1&n=8" {
		t.Errorf("%d requests, targets %q", s.count.Load(), s.log.targets)
	}
	if piece := s.log.pieces[0]; len(piece) != 2 || piece[0].n != 7 || piece[1].n != 8 {
		t.Errorf("recorded %v", piece)
	}
}

func TestWhatItDoesNotUnderstandEndsTheConnection(t *testing.T) {
	s := &sink{}
	address := started(t, s, func(listener net.Listener) { s.serve(listener, nil) })
	for _, request := range []string{
		"nonsense\r\n\r\n",
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
	} {
		connection, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := connection.Write([]byte(request)); err != nil {
			t.Fatal(err)
		}
		if answer, _ := io.ReadAll(connection); len(answer) != 0 {
			t.Errorf("%q was answered with %q", request, answer)
		}
		connection.Close()
	}
}

func TestOverTLSAndHTTP2(t *testing.T) {
	trusted := httptest.NewTLSServer(nil)
	defer trusted.Close()
	config := &tls.Config{Certificates: trusted.TLS.Certificates}
	s := &sink{}
	plain := started(t, s, func(listener net.Listener) { s.serve(listener, config.Clone()) })
	second := started(t, s, func(listener net.Listener) { s.serveHTTP2(listener, config.Clone()) })
	client := trusted.Client()
	client.Transport.(*http.Transport).ForceAttemptHTTP2 = true
	for address, version := range map[string]int{plain: 1, second: 2} {
		response, err := client.Get("https://" + address + "/")
		expectOK(t, response, err)
		if response.ProtoMajor != version {
			t.Errorf("HTTP/%d where %d was meant", response.ProtoMajor, version)
		}
	}
	if s.count.Load() != 2 {
		t.Errorf("%d requests", s.count.Load())
	}
}
