package routes

import (
	"errors"

	"github.com/spine-engine/spine-engine/internal/message"
)

var errNoXML = errors.New("XML is not supported by this version yet")

func (d dialect) xmlSelector(text string) (message.Selector, error) { return nil, errNoXML }

func (d dialect) parseXML(b []byte) (message.Doc, error) { return nil, errNoXML }

func looksLikeXML(text string) bool { return false }

func xmlFault(err error) (offset int, text, hint string, ok bool) { return 0, "", "", false }
