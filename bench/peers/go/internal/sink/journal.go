package sink

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"os"
	"strconv"
	"sync"
)

const pieceLength = 1 << 16

// journal keeps in memory what came, in pieces, so that nothing is copied when it grows.
type journal struct {
	keepTargets bool

	mu      sync.Mutex
	pieces  [][]arrival
	targets [][]byte
}

type arrival struct {
	n, at int64 // at in microseconds since 1970
}

// add notes a request; one without the parameter n is only counted elsewhere.
func (j *journal) add(target []byte, at int64) {
	n, found := numberOf(target)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.keepTargets {
		j.targets = append(j.targets, bytes.Clone(target))
	}
	if !found {
		return
	}
	last := len(j.pieces) - 1
	if last < 0 || len(j.pieces[last]) == pieceLength {
		j.pieces = append(j.pieces, make([]arrival, 0, pieceLength))
		last++
	}
	j.pieces[last] = append(j.pieces[last], arrival{n, at})
}

// numberOf is the value of the query parameter n.
func numberOf(target []byte) (int64, bool) {
	at := bytes.Index(target, []byte("&n="))
	if at < 0 {
		at = bytes.Index(target, []byte("?n="))
	}
	if at < 0 {
		return 0, false
	}
	text := target[at+len("&n="):]
	if end := bytes.IndexByte(text, '&'); end >= 0 {
		text = text[:end]
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	return n, err == nil
}

// write writes the files that have a name.
func (j *journal) write(record, targets string) error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if record != "" {
		if err := j.writeArrivals(record); err != nil {
			return err
		}
	}
	if targets != "" {
		lines := append(bytes.Join(j.targets, []byte{'\n'}), '\n')
		return os.WriteFile(targets, lines, 0o644)
	}
	return nil
}

func (j *journal) writeArrivals(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	buffered := bufio.NewWriter(file)
	var pair [16]byte
	for _, piece := range j.pieces {
		for _, one := range piece {
			binary.LittleEndian.PutUint64(pair[:8], uint64(one.n))
			binary.LittleEndian.PutUint64(pair[8:], uint64(one.at))
			if _, err := buffered.Write(pair[:]); err != nil {
				return err
			}
		}
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	return file.Close()
}
