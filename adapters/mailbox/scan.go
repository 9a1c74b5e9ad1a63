package mailbox

import (
	"cmp"
	"errors"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// sighting is what a file looked like, and since when on our own clock.
type sighting struct {
	look  look
	since time.Time // with its monotonic part: a wall clock that is set changes nothing
}

// look is what must not change for a file to be taken as the same and complete.
type look struct {
	id    folderID // device and inode
	size  int64
	mtime unix.Timespec
}

func lookOf(st *unix.Stat_t) look { return look{id: idOf(st), size: st.Size, mtime: st.Mtim} }

// found is a file that may be claimed.
type found struct {
	name    string
	look    look
	markers []string // marker files that go with it
}

// refusal is a file left alone, and why.
type refusal struct {
	id  folderID
	why string
}

// scan gives the files that are ready, oldest first by modification time, then
// by name.
func (s *source) scan(now time.Time) ([]found, error) {
	names, err := namesIn(s.inbox.dir)
	if err != nil {
		return nil, err
	}
	all := make(map[string]bool, len(names))
	for _, n := range names {
		all[n] = true
	}
	sights, refused := map[string]sighting{}, map[refusal]bool{}
	var ready []found
	for _, name := range names {
		st, ok, err := s.candidate(name, refused)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		sight := s.sight(name, lookOf(&st), now)
		f := found{name: name, look: sight.look}
		if s.ready(&f, all, now.Sub(sight.since)) {
			ready = append(ready, f)
		} else {
			sights[name] = sight
		}
	}
	s.sights, s.refused = sights, refused
	slices.SortFunc(ready, older)
	return ready, nil
}

func older(a, b found) int {
	return cmp.Or(cmp.Compare(a.look.mtime.Sec, b.look.mtime.Sec), cmp.Compare(a.look.mtime.Nsec, b.look.mtime.Nsec), cmp.Compare(a.name, b.name))
}

// candidate reports whether the name is a file that this source may take.
func (s *source) candidate(name string, refused map[refusal]bool) (st unix.Stat_t, ok bool, err error) {
	if name[0] == '.' || s.isMarker(name) || !s.matches(name) {
		return st, false, nil
	}
	st, err = statAt(s.inbox.dir, name)
	if errors.Is(err, unix.ENOENT) {
		return st, false, nil // its sender took it back
	}
	if err != nil {
		return st, false, err
	}
	why := s.objection(name, &st)
	if why != "" {
		s.refuse(refusal{idOf(&st), why}, refused)
	}
	return st, why == "", nil
}

func (s *source) matches(name string) bool {
	return slices.ContainsFunc(s.conf.files, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}

// objection says why a file is left where it is; "" = it may be taken.
func (s *source) objection(name string, st *unix.Stat_t) string {
	if err := checkName(name); err != nil {
		return err.Error()
	}
	return s.objectionTo(st)
}

// objectionTo judges the file itself. It is asked again after the claim.
func (s *source) objectionTo(st *unix.Stat_t) string {
	switch {
	case !regular(st):
		return "it is not a regular file"
	case st.Nlink != 1:
		return "it has more than one link"
	case s.conf.sameOwner && int(st.Uid) != os.Geteuid():
		return "it belongs to another user"
	}
	return ""
}

// refuse reports a file once for as long as it lies there.
func (s *source) refuse(r refusal, seen map[refusal]bool) {
	if !s.refused[r] && !seen[r] {
		s.env.Count("files_refused", 1)
		s.env.Log.Warn().Str("source", s.env.Name).Uint64("inode", r.id.ino).Str("why", r.why).Msg("a file in the mailbox is left alone")
	}
	seen[r] = true
}

// sight compares a file with how it looked before.
func (s *source) sight(name string, l look, now time.Time) sighting {
	if before, ok := s.sights[name]; ok && before.look == l {
		return before
	}
	return sighting{look: l, since: now}
}

func (s *source) isMarker(name string) bool {
	return s.conf.ready.marker != "" && strings.HasSuffix(name, s.conf.ready.marker)
}
