package stream

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

func TestCommitsTheLowestOffsetNotDone(t *testing.T) {
	partition := &Partition{}
	var marks []*Mark
	for _, offset := range []int64{5, 6, 9} {
		marks = append(marks, partition.Begin(&kgo.Record{Offset: offset}))
	}
	expect := func(offset int64, changed bool) {
		t.Helper()
		if next, is := partition.toCommit(); is != changed || (is && next.Offset != offset) {
			t.Fatalf("to commit is %d (%v), not %d (%v)", next.Offset, is, offset, changed)
		}
	}
	expect(0, false)
	marks[1].Done()
	expect(0, false)
	marks[0].Done()
	expect(7, true)
	partition.setCommitted(7)
	expect(7, false)
	marks[2].Done()
	expect(10, true)
}
