package sink

import (
	"bytes"
	"crypto/tls"
	"io"
	"log"
	"net"
	"strconv"
	"time"
)

const (
	usualHead = 2048 // a buffer of this size waits with each connection
	maxHead   = 64 * 1024
)

var headEnd = []byte("\r\n\r\n")

// serve takes connections; over TLS where there is a config.
func (s *sink) serve(listener net.Listener, config *tls.Config) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Printf("accept: %v", err)
			time.Sleep(10 * time.Millisecond) // out of descriptors, most likely
			continue
		}
		if config != nil {
			connection = tls.Server(connection, config)
		}
		go s.converse(connection)
	}
}

// converse answers one request after the other: just enough HTTP/1.1 for heads and bodies with a
// Content-Length. Anything else ends the connection.
func (s *sink) converse(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, 0, usualHead)
	for {
		end := -1
		for end = bytes.Index(buffer, headEnd); end < 0; end = bytes.Index(buffer, headEnd) {
			var err error
			if buffer, err = readMore(connection, buffer); err != nil {
				return
			}
		}
		target, length, goesOn := parse(buffer[:end])
		if length < 0 {
			return
		}
		rest := buffer[end+len(headEnd):]
		if missing := length - len(rest); missing > 0 {
			if _, err := io.CopyN(io.Discard, connection, int64(missing)); err != nil {
				return
			}
			rest = nil
		} else {
			rest = rest[length:]
		}
		s.came(target)
		if s.delay > 0 {
			time.Sleep(s.delay)
		}
		if _, err := connection.Write(*s.answer.Load()); err != nil || !goesOn {
			return
		}
		buffer = buffer[:copy(buffer[:cap(buffer)], rest)]
	}
}

// readMore appends what has come, in a larger buffer where it is full.
func readMore(connection net.Conn, buffer []byte) ([]byte, error) {
	if len(buffer) == cap(buffer) {
		if len(buffer) >= maxHead {
			return nil, io.ErrShortBuffer
		}
		buffer = append(make([]byte, 0, 2*cap(buffer)), buffer...)
	}
	n, err := connection.Read(buffer[len(buffer):cap(buffer)])
	if n > 0 {
		err = nil
	}
	return buffer[:len(buffer)+n], err
}

// parse reads a head: the target, the length of the body (below zero for what is not understood),
// and whether another request may follow.
func parse(head []byte) (target []byte, length int, goesOn bool) {
	line, fields, _ := bytes.Cut(head, []byte("\r\n"))
	_, rest, _ := bytes.Cut(line, []byte{' '})
	target, version, found := bytes.Cut(rest, []byte{' '})
	if !found {
		return nil, -1, false
	}
	goesOn = string(version) == "HTTP/1.1"
	for len(fields) > 0 {
		line, fields, _ = bytes.Cut(fields, []byte("\r\n"))
		// Most fields are told from ours by their first letter.
		switch {
		case len(line) == 0:
		case line[0]|0x20 == 'c':
			name, value, _ := bytes.Cut(line, []byte{':'})
			value = bytes.TrimSpace(value)
			if bytes.EqualFold(name, []byte("content-length")) {
				size, err := strconv.Atoi(string(value))
				if err != nil {
					return nil, -1, false
				}
				length = size
			} else if bytes.EqualFold(name, []byte("connection")) {
				goesOn = goesOn && !bytes.EqualFold(value, []byte("close"))
			}
		case line[0]|0x20 == 't' && bytes.EqualFold(line[:min(len(line), 18)], []byte("transfer-encoding:")):
			return nil, -1, false
		}
	}
	return target, length, goesOn
}
