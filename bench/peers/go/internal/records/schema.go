// Package records holds the Avro records on the topics: the schemas of the current release, and the
// parts of them that the peers read and write.
package records

import (
	"embed"
	"encoding/json"
	"fmt"

	"github.com/hamba/avro/v2"
)

// The files are copies of the newest release in schemas/avro: Go embeds nothing from outside its
// module. A test holds them against the originals.
//
//go:embed avro/*.avsc
var files embed.FS

// Schema is one record of the current release.
type Schema struct {
	// Header is what stands in front of it on a topic: Avro's single-object encoding.
	Header []byte

	avro avro.Schema
}

// The records that the peers know. DispatchHead is a Dispatch up to its call: Avro is plain
// concatenation, so what follows can be read, or carried along, on its own.
var (
	Call         = load("call_completed", "")
	Action       = load("action", "")
	Attempt      = load("attempt", "")
	Account      = load("account", "")
	Routing      = load("routing", "")
	Dispatch     = load("dispatch", "")
	DispatchHead = load("dispatch", "call_bytes")
)

// load parses a file, up to and with the field last unless that is empty. It panics for a file that
// is no schema, as the files are part of the program.
func load(name, last string) *Schema {
	definition := read(name)
	if last != "" {
		definition["fields"] = upTo(definition["fields"].([]any), last)
	}
	text, err := json.Marshal(plain(definition, map[string]bool{}))
	if err != nil {
		panic(err)
	}
	parsed, err := avro.ParseBytesWithCache(text, "", &avro.SchemaCache{})
	if err != nil {
		panic(fmt.Errorf("%s: %w", name, err))
	}
	fingerprint, err := parsed.(*avro.RecordSchema).FingerprintUsing(avro.CRC64AvroLE)
	if err != nil {
		panic(err)
	}
	return &Schema{Header: append([]byte{0xC3, 0x01}, fingerprint...), avro: parsed}
}

func read(name string) map[string]any {
	text, err := files.ReadFile("avro/" + name + ".avsc")
	if err != nil {
		panic(err)
	}
	var definition map[string]any
	if err := json.Unmarshal(text, &definition); err != nil {
		panic(fmt.Errorf("%s: %w", name, err))
	}
	return definition
}

func upTo(fields []any, last string) []any {
	for n, field := range fields {
		if field.(map[string]any)["name"] == last {
			return fields[:n+1]
		}
	}
	panic("no field " + last)
}

// neighbours are the records that others name.
var neighbours = map[string]string{"CallCompleted": "call_completed", "Action": "action"}

// plain is a definition with the first mention of each neighbour written out, and without logical
// types: neither the bytes nor the released fingerprints depend on them, but hamba's would.
func plain(node any, seen map[string]bool) any {
	switch node := node.(type) {
	case string:
		if file, is := neighbours[node]; is && !seen[node] {
			return plain(read(file), seen)
		}
	case []any:
		for n, item := range node {
			node[n] = plain(item, seen)
		}
	case map[string]any:
		if name, is := node["name"].(string); is && node["fields"] != nil {
			seen[name] = true
		}
		delete(node, "logicalType")
		for _, key := range []string{"type", "items", "values", "fields"} {
			if node[key] != nil {
				node[key] = plain(node[key], seen)
			}
		}
		if len(node) == 1 && node["type"] != nil {
			return node["type"]
		}
	}
	return node
}
