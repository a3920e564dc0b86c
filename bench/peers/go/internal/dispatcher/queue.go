package dispatcher

// queue is first in, first out, without copying.
type queue[T any] struct {
	items []T
	head  int
}

func (q *queue[T]) push(item T) {
	q.items = append(q.items, item)
}

// pop returns false when the queue is empty.
func (q *queue[T]) pop() (item T, found bool) {
	if q.head == len(q.items) {
		return item, false
	}
	item = q.items[q.head]
	var nothing T
	q.items[q.head] = nothing
	q.head++
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	return item, true
}
