package routes

import (
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/internal/conf"
)

// readPauses reads [ { weekly: "Sun 02:00-04:00 Europe/London", reason: backup } ].
func readPauses(n *conf.Node) []Pause {
	var out []Pause
	for _, c := range n.Items() {
		m := c.Map("pause", "weekly", "reason")
		w := m["weekly"]
		if w == nil {
			if c.IsMap() {
				c.Errorf(`add weekly: "Sun 02:00-04:00 Europe/London"`, "the pause does not say when")
			}
			continue
		}
		p, problem := parseWeekly(w.Text())
		if problem != "" {
			w.Errorf(`write "Sun 02:00-04:00 Europe/London"`, "%s", problem)
			continue
		}
		p.Reason, p.Place = m["reason"].Text(), c.Place()
		out = append(out, p)
	}
	return out
}

func parseWeekly(s string) (p Pause, problem string) {
	parts := strings.Fields(s)
	if len(parts) != 3 {
		return p, "a weekly pause is a day, a span of time and a zone"
	}
	day := -1
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(d.String()[:3], parts[0]) {
			day = int(d)
		}
	}
	if day < 0 {
		return p, "the day is one of Sun, Mon, Tue, Wed, Thu, Fri, Sat"
	}
	from, to, _ := strings.Cut(parts[1], "-")
	f, err1 := time.Parse("15:04", from)
	t, err2 := time.Parse("15:04", to)
	if err1 != nil || err2 != nil || from == to {
		return p, "the span is written 02:00-04:00"
	}
	zone, err := time.LoadLocation(parts[2])
	if err != nil {
		return p, "the time zone is not known"
	}
	return Pause{Day: time.Weekday(day), From: sinceMidnight(f), To: sinceMidnight(t), Zone: zone}, ""
}

func sinceMidnight(t time.Time) time.Duration {
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute
}
