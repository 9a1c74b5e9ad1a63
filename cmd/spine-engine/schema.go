package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/spine-engine/spine-engine/routes/schema"
)

func newSchema() *cobra.Command {
	var show string
	cmd := &cobra.Command{
		Use: "schema [DIR]", Short: "Write the JSON Schemas by which editors complete and check project files", Args: projectArgs,
		Long: "Writes .spine/spine.schema.json, .spine/feed.schema.json and .spine/values.schema.json into the project and says\n" +
			"which line at the head of a file makes editors use them. With --print, writes one schema to standard output\n" +
			"instead. A schema finds unknown keys, missing ones and words that are none; check finds all there is.",
		RunE: func(cmd *cobra.Command, args []string) error {
			out := cmd.OutOrStdout()
			if show != "" {
				return printSchema(out, show)
			}
			dir := projectArg(args)
			if _, err := os.Stat(filepath.Join(dir, "spine.yaml")); err != nil {
				return fmt.Errorf("%s has no spine.yaml: it is not a project folder", dir)
			}
			if err := writeSchemas(dir); err != nil {
				return err
			}
			return tellSchemas(out, dir)
		},
	}
	cmd.Flags().StringVar(&show, "print", "", "write this schema to standard output: "+strings.Join(schema.Names(), ", "))
	return cmd
}

func printSchema(w io.Writer, name string) error {
	if !slices.Contains(schema.Names(), name) {
		return usageError{fmt.Errorf("there is no schema %q; there are %s", name, strings.Join(schema.Names(), ", "))}
	}
	b, err := schema.JSON(name)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// writeSchemas writes the schemas of this version into a project.
func writeSchemas(dir string) error {
	folder := filepath.Join(dir, ".spine")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("schema: %w", err)
	}
	for _, name := range schema.Names() {
		b, err := schema.JSON(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name+".schema.json"), b, 0o644); err != nil {
			return fmt.Errorf("schema: %w", err)
		}
	}
	return nil
}

func tellSchemas(w io.Writer, dir string) error {
	_, err := fmt.Fprintf(w, `%s: spine.schema.json, feed.schema.json, values.schema.json
Editors with the YAML language server use them if a file begins with
  spine.yaml     # yaml-language-server: $schema=.spine/spine.schema.json
  feeds/*.yaml   # yaml-language-server: $schema=../.spine/feed.schema.json
  values/*.yaml  # yaml-language-server: $schema=../.spine/values.schema.json
Write them anew after an upgrade of the engine.
`, filepath.Join(dir, ".spine"))
	return err
}
