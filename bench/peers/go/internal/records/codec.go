package records

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/hamba/avro/v2"
)

// Errors of a value that is no record of the current release; trying again does not help.
var (
	ErrNoValue   = errors.New("the record has no value")
	ErrForeign   = errors.New("not the record of the current release that belongs here")
	ErrMalformed = errors.New("malformed")
)

// Reader reads records that lie one behind the other in one value. Not safe for concurrent use.
type Reader struct {
	avro *avro.Reader
}

// NewReader returns a Reader to be used again and again.
func NewReader() *Reader {
	return &Reader{avro.NewReader(nil, 0)}
}

// Open begins with a value that must bear the header of the schema.
func (r *Reader) Open(value []byte, schema *Schema) error {
	if len(value) == 0 {
		return ErrNoValue
	}
	body, found := bytes.CutPrefix(value, schema.Header)
	if !found {
		return ErrForeign
	}
	r.avro.Reset(body)
	r.avro.Error = nil
	return nil
}

// Read reads the next record into a pointer to a struct; fields that the struct lacks are skipped.
func (r *Reader) Read(schema *Schema, into any) error {
	r.avro.ReadVal(schema.avro, into)
	if r.avro.Error != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, r.avro.Error)
	}
	return nil
}

// End reports bytes that are left over.
func (r *Reader) End() error {
	r.avro.Peek()
	if !errors.Is(r.avro.Error, io.EOF) {
		return fmt.Errorf("%w: bytes are left over", ErrMalformed)
	}
	return nil
}

// Decode reads a value that holds one record and nothing else.
func Decode(value []byte, schema *Schema, into any) error {
	reader := readers.Get().(*Reader)
	defer readers.Put(reader)
	if err := reader.Open(value, schema); err != nil {
		return err
	}
	if err := reader.Read(schema, into); err != nil {
		return err
	}
	return reader.End()
}

// Encode returns header, record (a pointer to a struct) and what follows it, in one piece.
func Encode(header []byte, schema *Schema, record any, rest ...[]byte) ([]byte, error) {
	writer := writers.Get().(*avro.Writer)
	defer writers.Put(writer)
	writer.Reset(nil)
	writer.Error = nil
	writer.WriteVal(schema.avro, record)
	if writer.Error != nil {
		return nil, writer.Error
	}
	size := len(header) + writer.Buffered()
	for _, part := range rest {
		size += len(part)
	}
	value := append(append(make([]byte, 0, size), header...), writer.Buffer()...)
	for _, part := range rest {
		value = append(value, part...)
	}
	return value, nil
}

var (
	readers = sync.Pool{New: func() any { return NewReader() }}
	writers = sync.Pool{New: func() any { return avro.NewWriter(nil, 2048) }}
)
