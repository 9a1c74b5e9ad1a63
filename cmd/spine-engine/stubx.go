package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
)

func explainStored(cmd *cobra.Command, plan *routes.Plan, id message.ID, now time.Time, f explainFlags) error {
	return nil
}
