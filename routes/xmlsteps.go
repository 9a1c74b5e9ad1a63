package routes

import (
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/transforms"
)

func (f *feed) xmlStep(key conf.Field) transforms.Step {
	key.Name.Errorf("leave it out", "the step %q is not supported by this version yet", key.Key)
	return nil
}
