package mailbox

import "github.com/fsnotify/fsnotify"

func (s *source) startWatch() (hints <-chan struct{}, stop func()) {
	none := func() {}
	if s.watch == nil {
		return nil, none
	}
	hints, stop, err := s.watch(s.path)
	if err != nil {
		s.env.Log.Info().Err(err).Str("source", s.env.Name).Dur("poll", s.conf.poll).Msg("no notice of new files here; the folder is polled")
		return nil, none
	}
	return hints, stop
}

// watchFolder hints at new names in the folder: a file was made, or renamed into
// place, or a marker appeared.
func watchFolder(path string) (<-chan struct{}, func(), error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, nil, err
	}
	if err := w.Add(path); err != nil {
		w.Close()
		return nil, nil, err
	}
	hints := make(chan struct{}, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		forward(w, hints)
	}()
	return hints, func() { w.Close(); <-done }, nil
}

// forward ends when the watcher is closed. Errors (an overflow of events) need
// no answer: polling finds whatever was missed.
func forward(w *fsnotify.Watcher, hints chan<- struct{}) {
	for {
		select {
		case e, ok := <-w.Events:
			if !ok {
				return
			}
			if !e.Has(fsnotify.Create) {
				continue
			}
			select {
			case hints <- struct{}{}:
			default:
			}
		case _, ok := <-w.Errors:
			if !ok {
				return
			}
		}
	}
}
