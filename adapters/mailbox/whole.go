package mailbox

import (
	"fmt"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
)

// whole hands on the file as one message: XML, or where splitting is off. problem
// says why it is none, when that is known.
func (r *reading) whole(xml bool, problem string) (*verdict, error) {
	if r.look.size > r.source.conf.maxMessage {
		if problem == "" {
			problem = "it is one message"
		}
		return &verdict{failed: fmt.Sprintf("%s, of %d bytes where max_message allows %d", problem, r.look.size, r.source.conf.maxMessage)}, nil
	}
	body, err := r.body(r.section(), nil, r.look.size)
	if err != nil {
		return nil, err
	}
	if v, err := r.ifChanged(); v != nil || err != nil {
		return v, err
	}
	format := message.HL7
	if xml {
		format = message.XML
	}
	env := r.envelope(wholeFile, body, format)
	env.Problem = problem
	receipt, err := r.accept(r.ctx, env)
	if err != nil {
		return nil, err
	}
	r.claim.accepted = 1
	r.source.env.Count("messages", 1)
	if receipt.Outcome == message.Rejected {
		r.source.env.Count("messages_rejected", 1)
		return &verdict{failed: "the message was rejected", details: reasons(receipt)}, nil
	}
	return r.afterRead(&verdict{})
}

// afterRead looks at the file a last time: one that has grown meanwhile was not
// complete, whatever its ready rule said.
func (r *reading) afterRead(v *verdict) (*verdict, error) {
	if changed, err := r.ifChanged(); changed != nil || err != nil {
		return changed, err
	}
	return v, nil
}

// conclude judges a file that was read to its end.
func (r *reading) conclude(report hl7.BatchReport) (*verdict, error) {
	if report.Messages+report.TooLarge == 0 && report.Outside > 0 {
		return r.whole(false, "there is no message (MSH segment) in it")
	}
	if report.Messages == 0 && report.TooLarge == 0 {
		r.source.env.Count("batches_empty", 1)
	}
	for _, f := range report.Findings {
		r.detail("at byte %d: %s", f.Offset, f.Text)
	}
	if len(report.Findings) > 0 {
		r.source.env.Count("batch_findings", len(report.Findings))
		r.source.env.Log.Warn().Str("source", r.source.env.Name).Str("claim", r.claim.id).Int("findings", len(report.Findings)).
			Int("messages", report.Messages).Msg("a batch file is not as its envelope says; see the report beside it in the archive")
	}
	v := &verdict{details: r.details, keep: len(report.Findings) > 0}
	if r.lost > 0 {
		v.failed = fmt.Sprintf("%d messages are too large; the other %d were accepted", r.lost, report.Messages)
	}
	return r.afterRead(v)
}
