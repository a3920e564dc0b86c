package router

import (
	"fmt"
	"strconv"
	"strings"

	"peers/internal/records"
)

// maxShared is how many settings are kept once though many numbers say the same.
const maxShared = 10_000

// account is what is configured for one account.
type account struct {
	features *records.AccountFields // nil while the account itself is unknown or deleted
	actions  []*action              // in the order in which they came
	numbers  map[uint64]*setting
	pools    map[string]*setting
	adGroups map[string]*setting
}

// action is what routing needs of one.
type action struct {
	records.ActionRouting
	key  []byte // of its dispatches
	body []byte // the record's bytes, to be carried along
}

// setting is what a number, pool or ad group says.
type setting = records.RoutingFields

// configuration holds all accounts. Not safe for concurrent use.
type configuration struct {
	accounts map[string]*account
	shared   map[string]*setting
}

func newConfiguration() *configuration {
	return &configuration{accounts: map[string]*account{}, shared: map[string]*setting{}}
}

// account is nil when it is unknown or deleted.
func (c *configuration) account(id string) *account {
	if its := c.accounts[id]; its != nil && its.features != nil {
		return its
	}
	return nil
}

// apply takes a record of the config topic; without a value it deletes. After an error the older
// state stays in force.
func (c *configuration) apply(key string, value []byte) error {
	parts := strings.SplitN(key, "/", 3)
	if len(parts) != 3 {
		return fmt.Errorf("key %q is not account/kind/id", key)
	}
	id := strings.Clone(parts[0])
	its := c.accounts[id]
	if its == nil {
		if value == nil {
			return nil
		}
		its = &account{
			numbers:  map[uint64]*setting{},
			pools:    map[string]*setting{},
			adGroups: map[string]*setting{},
		}
	}
	if err := c.change(id, its, parts[1], parts[2], value); err != nil {
		return fmt.Errorf("key %q: %w", key, err)
	}
	if its.isEmpty() {
		delete(c.accounts, id)
	} else {
		c.accounts[id] = its
	}
	return nil
}

func (a *account) isEmpty() bool {
	return a.features == nil && len(a.actions)+len(a.numbers)+len(a.pools)+len(a.adGroups) == 0
}

func (c *configuration) change(accountID string, its *account, kind, id string, value []byte) error {
	switch kind {
	case "account":
		if value == nil {
			its.features = nil
			return nil
		}
		features := &records.AccountFields{}
		if err := records.Decode(value, records.Account, features); err != nil {
			return err
		}
		its.features = features
		return nil
	case "action":
		return its.changeAction(accountID, id, value)
	case "number":
		number, is := digits(id)
		if !is {
			return fmt.Errorf("%q is no telephone number in E.164", id)
		}
		return put(c, its.numbers, number, value)
	case "pool":
		return put(c, its.pools, strings.Clone(id), value)
	case "ad_group":
		return put(c, its.adGroups, strings.Clone(id), value)
	default:
		return fmt.Errorf("kind %q is unknown", kind)
	}
}

// changeAction puts a new state in the place of the older one, so that their order stays.
func (a *account) changeAction(accountID, id string, value []byte) error {
	place := -1
	for n, known := range a.actions {
		if string(known.key) == accountID+"/"+id {
			place = n
		}
	}
	if value == nil {
		if place >= 0 {
			a.actions = append(a.actions[:place:place], a.actions[place+1:]...)
		}
		return nil
	}
	changed := &action{key: []byte(accountID + "/" + id)}
	if err := records.Decode(value, records.Action, &changed.ActionRouting); err != nil {
		return err
	}
	changed.body = append([]byte(nil), value[len(records.Action.Header):]...)
	if place >= 0 {
		a.actions[place] = changed
	} else {
		a.actions = append(a.actions, changed)
	}
	return nil
}

func put[K comparable](c *configuration, table map[K]*setting, key K, value []byte) error {
	if value == nil {
		delete(table, key)
		return nil
	}
	if same := c.shared[string(value)]; same != nil {
		table[key] = same
		return nil
	}
	changed := &setting{}
	if err := records.Decode(value, records.Routing, changed); err != nil {
		return err
	}
	if len(c.shared) < maxShared {
		c.shared[string(value)] = changed
	}
	table[key] = changed
	return nil
}

// digits is a number in E.164 as an integer, which costs half of a text.
func digits(e164 string) (uint64, bool) {
	text := strings.TrimPrefix(e164, "+")
	if len(text) > 15 || text == "" || text[0] == '+' {
		return 0, false
	}
	number, err := strconv.ParseUint(text, 10, 64)
	return number, err == nil
}
