package routes

import (
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
)

func (f *feed) remake(key conf.Field) transforms.Step {
	key.Name.Errorf("leave it out", "the step %q is not supported by this version yet", key.Key)
	return nil
}

type answer struct{}

func (l *loader) readAnswer(s *source, n *conf.Node) *answer { return nil }
func (r *run) answer(a *answer, reply *message.Reply)        {}
