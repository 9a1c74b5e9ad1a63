package mailbox

import (
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sys/unix"
)

// claim is a file in the engine's hands. Its name in the private folder keeps
// all that a restart must know:
//
//	<id>.<begun>.<mark>~<name>
//	01ARZ3NDEKTSV4RRFFQ69G5FAV.1.8d2f00c3~adt-0017.hl7
type claim struct {
	id    string // ULID, the stable part of every message's Origin
	begun int    // times that its processing was begun and not ended in an orderly way
	mark  string // of size and modification time when it was claimed, 8 hex digits
	name  string // as the sender called it

	// What this process knows besides.
	accepted     int      // messages of it that are with the engine
	readFailures int      // in a row
	verdict      *verdict // decided, but not carried out yet
}

const (
	maxBegun        = 3
	maxReadFailures = 8
	// claimAtOnce bounds the files claimed together, which share two syncs.
	claimAtOnce = 256
)

func (c *claim) file() string { return fmt.Sprintf("%s.%d.%s~%s", c.id, c.begun, c.mark, c.name) }

// kept is the file's name in the archive and the quarantine.
func (c *claim) kept() string { return c.id + "~" + c.name }

func (c *claim) origin(index int) string { return fmt.Sprintf("mailbox:%s:%d", c.id, index) }

func markOf(st *unix.Stat_t) string {
	text := fmt.Appendf(nil, "%d %d.%09d", st.Size, st.Mtim.Sec, st.Mtim.Nsec)
	return fmt.Sprintf("%08x", crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli)))
}

// parseClaim is the inverse of file.
func parseClaim(file string) (*claim, bool) {
	head, name, ok := strings.Cut(file, "~")
	parts := strings.Split(head, ".")
	if !ok || len(parts) != 3 || len(parts[1]) != 1 || parts[1] < "0" || parts[1] > "9" || len(parts[2]) != 8 {
		return nil, false
	}
	if _, err := ulid.ParseStrict(parts[0]); err != nil || checkName(name) != nil {
		return nil, false
	}
	return &claim{id: parts[0], begun: int(parts[1][0] - '0'), mark: parts[2], name: name}, true
}

// load takes up what a former run had claimed, under the same ids.
func (s *source) load() error {
	if s.loaded {
		return nil
	}
	names, err := namesIn(s.inbox.claimed)
	if err != nil {
		return err
	}
	slices.Sort(names) // by claim id: the order in which they were claimed
	s.claims = nil
	for _, n := range names {
		c, ok := parseClaim(n)
		if !ok {
			s.env.Log.Warn().Str("source", s.env.Name).Msg("a file in the private folder of claimed files is not the engine's and is left alone")
			continue
		}
		s.claims = append(s.claims, c)
		s.dropOldMarkers(c)
	}
	s.loaded, s.unsynced = true, true
	return nil
}

// dropOldMarkers removes markers that a crash kept from being removed with their file.
func (s *source) dropOldMarkers(c *claim) {
	claimedAt := ulid.Time(ulid.MustParse(c.id).Time())
	for _, m := range s.markerNames(c.name) {
		st, err := statAt(s.inbox.dir, m)
		if err == nil && regular(&st) && time.Unix(st.Mtim.Unix()).Before(claimedAt) {
			s.removeMarkers([]string{m})
		}
	}
}

// removeMarkers may fail without harm: a marker older than the next file of its
// name is not believed.
func (s *source) removeMarkers(names []string) {
	for _, m := range names {
		if err := removeAt(s.inbox.dir, m); err != nil {
			s.env.Log.Warn().Err(err).Str("source", s.env.Name).Msg("a marker file could not be removed")
		}
	}
}

// claim moves files into the private folder, durably, before anything of them is
// read: were the move lost after a message was accepted, the file would be
// claimed again under another id and its messages repeated.
func (s *source) claim(ready []found) error {
	var markers []string
	s.unsynced = true
	for _, f := range ready[:min(len(ready), claimAtOnce)] {
		c, err := s.claimOne(f)
		if err != nil {
			return err
		}
		if c != nil {
			s.claims = append(s.claims, c)
			markers = append(markers, f.markers...)
		}
	}
	if err := s.syncClaims(); err != nil {
		return err
	}
	s.removeMarkers(markers)
	return nil
}

func (s *source) syncClaims() error {
	if !s.unsynced {
		return nil
	}
	if err := errors.Join(fsync(s.inbox.claimed), fsync(s.inbox.dir)); err != nil {
		return fmt.Errorf("mailbox folder %s: syncing claims: %w", s.path, err)
	}
	s.unsynced = false
	return nil
}

// claimOne gives nil when the file is gone or is not what the scan saw.
func (s *source) claimOne(f found) (*claim, error) {
	st := unix.Stat_t{Size: f.look.size, Mtim: f.look.mtime}
	c := &claim{id: ulid.Make().String(), mark: markOf(&st), name: f.name}
	err := s.moveIn(f.name, c.file())
	if errors.Is(err, unix.ENOENT) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("mailbox folder %s: claiming a file: %w", s.path, err)
	}
	st, err = statAt(s.inbox.claimed, c.file())
	if err != nil {
		return nil, fmt.Errorf("mailbox folder %s: looking at a claimed file: %w", s.path, err)
	}
	if lookOf(&st) != f.look || s.objectionTo(&st) != "" {
		return nil, s.giveBack(c)
	}
	s.env.Count("files_claimed", 1)
	return c, nil
}

// moveIn renames into the private folder. The new name holds a fresh id, so a
// plain rename overwrites nothing where the file system knows no other.
func (s *source) moveIn(name, file string) error {
	err := moveNew(s.inbox.dir, name, s.inbox.claimed, file, false)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		err = renameAt(s.inbox.dir, name, s.inbox.claimed, file)
	}
	return err
}

// giveBack returns what was claimed but was changed, or exchanged for something
// else, after the scan had looked: it must become ready again, or be refused.
func (s *source) giveBack(c *claim) error {
	s.env.Count("claims_given_back", 1)
	err := moveNew(s.inbox.claimed, c.file(), s.inbox.dir, c.name, false)
	if err == nil {
		return nil
	}
	c.verdict = &verdict{failed: "the file was changed while it was claimed, and another one has its name now"}
	s.claims = append(s.claims, c)
	return nil
}

// begin counts the coming try, in the name, before anything can go wrong.
func (s *source) begin(c *claim) error { return s.count(c, c.begun+1) }

// ended takes the try back: it failed, but in an orderly way.
func (s *source) ended(c *claim) error { return s.count(c, c.begun-1) }

func (s *source) count(c *claim, begun int) error {
	before := c.file()
	after := *c
	after.begun = begun
	if err := renameAt(s.inbox.claimed, before, s.inbox.claimed, after.file()); err != nil {
		return fmt.Errorf("mailbox folder %s: counting the tries of claim %s: %w", s.path, c.id, err)
	}
	c.begun = begun
	return nil
}
