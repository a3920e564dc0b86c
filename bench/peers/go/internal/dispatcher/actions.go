package dispatcher

import (
	"fmt"
	"sync"

	"peers/internal/records"
	"peers/internal/stream"
)

const maxActions = 50_000

// actions are those made ready, by what a Dispatch says before its call.
type actions struct {
	clients *clients

	mu    sync.RWMutex
	known map[actionKey]ready
}

type actionKey struct {
	account, action string
	version         int64
}

// ready is an action made ready, or why it cannot be sent.
type ready struct {
	action  *action
	refused *unsendable
}

func newActions(settings stream.Settings) *actions {
	return &actions{clients: newClients(settings), known: map[actionKey]ready{}}
}

// of is the action of a Dispatch; the reader stands behind the call, and reads the action where it
// is not known yet. An error says that there is no Action to read.
func (a *actions) of(
	head *records.DispatchFields, reader *records.Reader,
) (*action, *unsendable, error) {
	key := actionKey{head.AccountID, head.ActionID, head.ActionVersion}
	a.mu.RLock()
	known, found := a.known[key]
	a.mu.RUnlock()
	if found {
		return known.action, known.refused, nil
	}
	var record records.ActionFields
	if err := reader.Read(records.Action, &record); err != nil {
		return nil, nil, err
	}
	if err := reader.End(); err != nil {
		return nil, nil, fmt.Errorf("after the action: %w", err)
	}
	made, refused := compileAction(&record, a.clients)
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.known) >= maxActions {
		for any := range a.known {
			delete(a.known, any)
			break
		}
	}
	a.known[key] = ready{made, refused}
	return made, refused, nil
}
