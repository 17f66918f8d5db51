package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/loomfabric/loom/pkg/controller"
)

// A store that was restored from a backup does not know what was done to devices since. So how far the store was when devices were last
// changed is kept beside it, in the data directory:
//
//	DATA/acted   an acted as JSON
//
// A store that is not as far is old, and stays so, however much is written to it meanwhile, until somebody accepts it.
type acted struct {
	Revision int64     `json:"revision"` // of the store, which rises with every transaction of it
	At       time.Time `json:"at"`
	Old      bool      `json:"old,omitempty"` // the store was found to be older
}

func (s *serving) actedFile() string { return filepath.Join(s.dir, "acted") }

func (s *serving) readActed() (acted, error) {
	var a acted
	data, err := os.ReadFile(s.actedFile())
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &a)
	}
	if err != nil {
		return a, fmt.Errorf("%s: %w; take it away if the store is the newest that there is", s.actedFile(), err)
	}
	return a, nil
}

func (s *serving) keepActed(a acted) error {
	data, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return replaceFile(s.actedFile(), append(data, '\n'))
}

// checkAge finds out whether the store is older than what was done to devices. accept has what was done since be forgotten.
func (s *serving) checkAge(ctx context.Context, accept bool) error {
	a, err := s.readActed()
	if err != nil {
		return err
	}
	if accept {
		if a != (acted{}) {
			s.log.Warn("the store is taken as it is, whatever was done to devices since", "at", a.At)
		}
		return s.keepActed(acted{})
	}
	_, revision, err := s.store.Holders(ctx, "")
	if err != nil || !a.Old && revision >= a.Revision {
		return err
	}
	a.Old = true
	if err := s.keepActed(a); err != nil {
		return err
	}
	s.old = fmt.Errorf("%w: the store is older than what was done to devices at %s, as one restored from a backup is, and so nothing is changed on any device; "+
		"restore the newest that there is, or start once with --accept-old-store after looking at loom drift list", controller.ErrNotNow, a.At.Format(time.RFC3339))
	s.log.Error("nothing is changed on any device", "error", s.old)
	s.note(controller.Event{Kind: controller.ControllerEvent, Message: s.old.Error()})
	return nil
}

// acts keeps how far the store is now that devices are changed. It does not wait: the transaction must not.
func (f *fabricRun) acts() {
	f.running.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		f.s.acting.Lock()
		defer f.s.acting.Unlock()
		_, revision, err := f.s.store.Holders(ctx, "fabric/"+f.name)
		if err == nil {
			err = f.s.keepActed(acted{Revision: revision, At: time.Now().UTC().Truncate(time.Second)})
		}
		if err != nil {
			f.s.log.Warn("how far the store is was not kept beside it", "topology", f.name, "error", err)
		}
	})
}
