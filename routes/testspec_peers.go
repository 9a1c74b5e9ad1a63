package routes

import (
	"slices"
	"time"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/conf"
)

// peers reads what the scripted peers do, by queue.
func (r *testReader) peers(n *conf.Node) map[string][]SpecAnswer {
	out := map[string][]SpecAnswer{}
	for _, f := range n.Fields() {
		d, ok := r.destination(f.Name, f.Key)
		replies := !ok || r.f.loader.repliesAt(d.Queue)
		items := f.Node.Items()
		if len(items) == 0 {
			f.Node.Errorf("write [ { reply: AA } ]", "the peer is told nothing")
		}
		for _, item := range items {
			a := readAnswer(item)
			if !replies && (a.Code != "" && a.Code != adapters.Written || a.Kind == AnswerWrongID || a.Kind == AnswerNothing || a.Kind == AnswerClose) {
				item.Errorf("write { wait: 5s } or { refuse: true }", "this kind of destination gives no replies")
			}
			out[d.Queue] = append(out[d.Queue], a)
		}
	}
	return out
}

// repliesAt reports whether a queue gets replies; yes when it is not known (yet).
func (l *loader) repliesAt(queue string) bool {
	for i := range l.plan.destinations {
		if d := &l.plan.destinations[i]; d.Queue == queue {
			return d.Config.Traits().NeedsReply
		}
	}
	return true
}

const answerHint = "write { reply: AA }, { wrong_id: AA }, { close: true }, { refuse: true } or { nothing: true }"

// readAnswer reads AA, or { wait: 40s, reply: AA, times: 2 }.
func readAnswer(n *conf.Node) SpecAnswer {
	a := SpecAnswer{Times: 1}
	if n.IsText() {
		a.Code = replyCode(n)
		return a
	}
	m := n.Map("peer's answer", "wait", "reply", "text", "wrong_id", "close", "refuse", "nothing", "times")
	a.Times = m["times"].Int(1, 1, 1_000_000)
	a.Wait = m["wait"].Duration(0)
	m["text"].Text() // for whoever reads the test: the engine shows a peer's words and decides nothing by them
	given := 0
	for _, k := range []string{"reply", "wrong_id", "close", "refuse", "nothing"} {
		v := m[k]
		if v == nil {
			continue
		}
		given++
		switch k {
		case "reply":
			a.Code = replyCode(v)
		case "wrong_id":
			a.Kind = AnswerWrongID
			replyCode(v)
		default:
			a.Kind = map[string]AnswerKind{"close": AnswerClose, "refuse": AnswerRefuse, "nothing": AnswerNothing}[k]
			if !v.Bool(true) {
				v.Errorf("leave it out", "what a peer does not do is not written")
			}
		}
	}
	if n.IsMap() && (given > 1 || given == 0 && m["wait"] == nil) {
		n.Errorf(answerHint, "a peer's answer is one thing")
	}
	if a.Kind == AnswerNothing && a.Wait > 0 {
		m["wait"].Errorf("leave it out", "a peer that answers nothing does not wait either")
	}
	if a.Wait > 365*24*time.Hour {
		m["wait"].Errorf("", "longer than a year")
	}
	return a
}

var answerCodes = []string{"AA", "AE", "AR", "CA", "CE", "CR", adapters.Unreadable, adapters.Written}

func replyCode(n *conf.Node) string {
	s := n.Text()
	if n.IsText() && !slices.Contains(answerCodes, s) && (!knownCode(s) || len(s) != 3 || s[1] == 'x') {
		n.Errorf(hint(s, answerCodes), "%q is no reply: write AA, AE, ... or an HTTP status", s)
	}
	return s
}
