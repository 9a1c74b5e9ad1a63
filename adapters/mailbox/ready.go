package mailbox

import (
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// earlyMarker is how long a file must be still whose marker is older than it
// is, where the feed declares no such time itself.
const earlyMarker = 15 * time.Second

// ready decides whether the file is complete. still is how long it has looked
// the same.
func (s *source) ready(f *found, all map[string]bool, still time.Duration) bool {
	rule := s.conf.ready
	if rule.renamed {
		return true
	}
	newest, marked := s.markersOf(f, all)
	switch {
	case marked && !before(newest, f.look.mtime):
		return true
	case rule.unchanged > 0 && f.look.size > 0 && still >= rule.unchanged:
		return true // an empty file was probably only just created
	case marked && rule.unchanged == 0:
		// The marker came first, or is left over from an earlier file of that
		// name: it says nothing about when its file is complete.
		return f.look.size > 0 && still >= earlyMarker
	}
	return false
}

func before(a, b unix.Timespec) bool { return a.Sec < b.Sec || a.Sec == b.Sec && a.Nsec < b.Nsec }

// markersOf finds x.hl7.ok and x.ok for x.hl7, and the time of the newest. A
// marker is a regular file; what is in it does not matter.
func (s *source) markersOf(f *found, all map[string]bool) (newest unix.Timespec, ok bool) {
	for _, name := range s.markerNames(f.name) {
		if !all[name] {
			continue
		}
		st, err := statAt(s.inbox.dir, name)
		if err != nil || !regular(&st) {
			continue
		}
		if !ok || before(newest, st.Mtim) {
			newest = st.Mtim
		}
		f.markers = append(f.markers, name)
		ok = true
	}
	return newest, ok
}

func (s *source) markerNames(name string) []string {
	marker := s.conf.ready.marker
	if marker == "" {
		return nil
	}
	return []string{name + marker, strings.TrimSuffix(name, path.Ext(name)) + marker}
}
