package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/routes"
)

func newCheck() *cobra.Command {
	var asJSON bool
	var env string
	cmd := &cobra.Command{
		Use: "check [DIR]", Short: "All problems of a project, with file, line and column", Args: projectArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			plan, problems := loadProject(projectArg(args), env)
			if asJSON {
				if err := printJSON(cmd.OutOrStdout(), append([]conf.Problem{}, problems...)); err != nil {
					return err
				}
			} else {
				printProblems(cmd.OutOrStdout(), plan, problems)
			}
			if plan == nil {
				return errSaid
			}
			return nil
		},
	}
	jsonFlag(cmd, &asJSON)
	envFlag(cmd, &env)
	return cmd
}

func envFlag(cmd *cobra.Command, v *string) {
	cmd.Flags().StringVar(v, "env", "", "environment instead of the one spine.yaml names")
}

func printProblems(w io.Writer, plan *routes.Plan, problems []conf.Problem) {
	for _, p := range problems {
		fmt.Fprintln(w, p)
	}
	if plan == nil {
		n := 0
		for _, p := range problems {
			if p.Severity == conf.Error {
				n++
			}
		}
		fmt.Fprintf(w, "%d problems: nothing can run until they are mended\n", n)
		return
	}
	fmt.Fprintf(w, "ok: plan %s, environment %s, %d sources, %d destinations\n",
		plan.Hash(), plan.Environment, len(plan.Sources()), len(plan.Destinations()))
}

func loadOptions(dir, env string) routes.LoadOptions {
	return routes.LoadOptions{Kinds: kinds(), Environment: env, Env: os.LookupEnv, Secrets: os.DirFS(dir)}
}

func loadProject(dir, env string) (*routes.Plan, []conf.Problem) {
	return routes.Load(os.DirFS(dir), loadOptions(dir, env))
}
