package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/format"
)

// formatting is what the flags of fmt ask for.
type formatting struct {
	check, diff bool
	out         io.Writer
	changed     int
	refused     int
}

func newFmt() *cobra.Command {
	var f formatting
	cmd := &cobra.Command{
		Use: "fmt [DIR]", Short: "Write a project's files in their canonical form", Args: projectArgs,
		Long: "Rewrites spine.yaml, values/*.yaml and feeds/*.yaml: two spaces, keys in the order of the reference, quotes\n" +
			"where they are needed, short mappings on one line as they were. Comments stay, and so does every value: what\n" +
			"is about to be written is read again and compared first. A file with faults is left alone and told.",
		RunE: func(cmd *cobra.Command, args []string) error {
			f.out = cmd.OutOrStdout()
			return f.run(projectArg(args))
		},
	}
	cmd.Flags().BoolVar(&f.check, "check", false, "change nothing; exit status 1 if a file is not in its canonical form")
	cmd.Flags().BoolVar(&f.diff, "diff", false, "change nothing; show what would change")
	return cmd
}

func (f *formatting) run(dir string) error {
	files, err := projectFiles(dir)
	if err != nil {
		return err
	}
	for _, name := range files {
		if err := f.file(dir, name); err != nil {
			return err
		}
	}
	switch {
	case f.refused > 0, f.check && f.changed > 0:
		return errSaid
	}
	return nil
}

// projectFiles are the files that fmt writes, by their names within the project.
func projectFiles(dir string) ([]string, error) {
	var out []string
	for _, pattern := range []string{"spine.yaml", "values/*.yaml", "feeds/*.yaml"} {
		found, err := fs.Glob(os.DirFS(dir), pattern)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	if !slices.Contains(out, "spine.yaml") {
		return nil, fmt.Errorf("%s has no spine.yaml: it is not a project folder", dir)
	}
	return out, nil
}

func (f *formatting) file(dir, name string) error {
	path := filepath.Join(dir, filepath.FromSlash(name))
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	out, problems := format.Format(name, data)
	if problems != nil {
		f.refused++
		return f.tell(problems)
	}
	if bytes.Equal(out, data) {
		return nil
	}
	f.changed++
	if f.diff {
		if _, err := io.WriteString(f.out, unified(name, string(data), string(out))); err != nil {
			return err
		}
	} else if _, err := fmt.Fprintln(f.out, name); err != nil {
		return err
	}
	if f.check || f.diff {
		return nil
	}
	return replaceFile(path, out)
}

func (f *formatting) tell(problems []conf.Problem) error {
	for _, p := range problems {
		if _, err := fmt.Fprintln(f.out, p); err != nil {
			return err
		}
	}
	return nil
}

// replaceFile writes a file under another name and renames it over the first, with
// the same mode. A link is followed: what it points at is replaced, not the link.
func replaceFile(path string, data []byte) error {
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".fmt-*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Chmod(info.Mode().Perm()), tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return os.Rename(tmp.Name(), path)
}
