package main

import (
	"github.com/loomfabric/loom/pkg/controller"
	"github.com/loomfabric/loom/pkg/store"
	"github.com/loomfabric/loom/pkg/transaction"
)

// companion is what is written together with the journal of a transaction, so that it is there exactly if what it tells of has
// happened.
type companion struct {
	put  map[string][]byte                             // with the first record
	when []store.Condition                             // under which the transaction may begin
	kept func()                                        // the transaction has begun: all that is durable; nil: nobody wants to know
	ends func(r transaction.Record) []controller.Event // with the last record; nil: none
}

// onto adds what goes with a record to what writes it.
func (c *companion) onto(tx *store.Tx, r transaction.Record) error {
	switch {
	case c == nil:
	case r.Kind == transaction.Planned:
		for key, value := range c.put {
			tx.Put[key] = value
		}
		tx.If = append(tx.If, c.when...)
	case r.Kind == transaction.Ended && c.ends != nil:
		return tellIn(tx, c.ends(r)...)
	}
	return nil
}

// tellIn adds events to a transaction of the store: they are kept with what they tell of, or not at all.
func tellIn(tx *store.Tx, events ...controller.Event) error {
	if tx.Put == nil {
		tx.Put = map[string][]byte{}
	}
	for i, e := range events {
		data, err := pack(e)
		if err != nil {
			return err
		}
		tx.Put[eventKey(e, i)] = data
	}
	return nil
}
