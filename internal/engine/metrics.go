package engine

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/spine-engine/spine-engine/internal/message"
)

// metrics are counted since the start of the process; what the store holds over
// restarts is in its totals. Names follow the words of the documentation.
type metrics struct {
	registry  *prometheus.Registry
	received  *prometheus.CounterVec   // by source
	outcomes  *prometheus.CounterVec   // by source, outcome
	unstored  *prometheus.CounterVec   // by source: not acknowledged
	acceptFor prometheus.Histogram     // seconds from arrival to durable
	attempts  *prometheus.CounterVec   // by queue, code
	finished  *prometheus.CounterVec   // by queue, state
	events    *prometheus.CounterVec   // by part, name, what
	sendFor   *prometheus.HistogramVec // seconds, by queue
}

func newMetrics(e *Engine) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "spine", Name: name, Help: help}, labels)
	}
	buckets := prometheus.ExponentialBuckets(0.0005, 2, 16)
	m := &metrics{
		registry: prometheus.NewRegistry(),
		received: counter("messages_received_total", "Messages handed over by sources.", "source"),
		outcomes: counter("messages_total", "Messages by outcome; adds up to received less those not stored.", "source", "outcome"),
		unstored: counter("messages_not_stored_total", "Messages that could not be stored; their senders were told so.", "source"),
		attempts: counter("attempts_total", "Answers of destinations by code; error = no answer at all.", "queue", "code"),
		finished: counter("copies_total", "Copies that left their queue, by state.", "queue", "state"),
		events:   counter("adapter_events_total", "What adapters count: connections, junk bytes, refused peers.", "side", "name", "what"),
		acceptFor: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "spine", Name: "accept_seconds",
			Help: "From arrival to durable.", Buckets: buckets}),
		sendFor: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "spine", Name: "send_seconds",
			Help: "One attempt, or one batch, at a destination.", Buckets: buckets}, []string{"queue"}),
	}
	m.registry.MustRegister(m.received, m.outcomes, m.unstored, m.attempts, m.finished, m.events, m.acceptFor, m.sendFor,
		queueGauges{e}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Registry serves /metrics.
func (e *Engine) Registry() *prometheus.Registry { return e.metrics.registry }

func (m *metrics) accepted(d *message.Decision, r message.Receipt, err error, took time.Duration) {
	source := d.Envelope.Source
	m.received.WithLabelValues(source).Inc()
	if err != nil {
		m.unstored.WithLabelValues(source).Inc()
		return
	}
	m.acceptFor.Observe(took.Seconds())
	outcome := r.Outcome
	if r.Duplicate {
		outcome = message.Duplicate
	}
	m.outcomes.WithLabelValues(source, outcome.String()).Inc()
}

// counter gives an adapter its Count function.
func (m *metrics) counter(side, name string) func(what string, n int) {
	return func(what string, n int) { m.events.WithLabelValues(side, name, what).Add(float64(n)) }
}

// queueGauges reads the queues when asked.
type queueGauges struct{ e *Engine }

var (
	queuedDesc   = prometheus.NewDesc("spine_queue_copies", "Copies queued.", []string{"queue"}, nil)
	lanesDesc    = prometheus.NewDesc("spine_queue_lanes", "Lanes with queued copies.", []string{"queue"}, nil)
	retryingDesc = prometheus.NewDesc("spine_queue_lanes_retrying", "Lanes whose head waits for its next attempt.", []string{"queue"}, nil)
	stoppedDesc  = prometheus.NewDesc("spine_queue_lanes_stopped", "Lanes that wait for a person.", []string{"queue"}, nil)
	oldestDesc   = prometheus.NewDesc("spine_queue_oldest_seconds", "Age of the oldest queued copy in memory.", []string{"queue"}, nil)
	pausedDesc   = prometheus.NewDesc("spine_queue_paused", "1 while the queue is paused, by a person or by its timetable.", []string{"queue"}, nil)
	orderedDesc  = prometheus.NewDesc("spine_paused", "Pauses that people have ordered, by kind and name.", []string{"kind", "name"}, nil)
	reloadDesc   = prometheus.NewDesc("spine_project_ok", "1 when the project folder is the one in force, 0 when an earlier one runs.", nil, nil)
)

func (g queueGauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{queuedDesc, lanesDesc, retryingDesc, stoppedDesc, oldestDesc, pausedDesc, orderedDesc, reloadDesc} {
		ch <- d
	}
}

func (g queueGauges) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	now := time.Now()
	for _, q := range g.e.QueueStates(now) {
		gauge(queuedDesc, float64(q.Queued), q.Name)
		gauge(lanesDesc, float64(q.Lanes), q.Name)
		gauge(retryingDesc, float64(q.Retrying), q.Name)
		gauge(stoppedDesc, float64(q.Stopped), q.Name)
		age := 0.0
		if !q.Oldest.IsZero() {
			age = now.Sub(q.Oldest).Seconds()
		}
		gauge(oldestDesc, age, q.Name)
		paused := 0.0
		if q.Paused {
			paused = 1
		}
		gauge(pausedDesc, paused, q.Name)
	}
	g.pauses(gauge, now)
	ok := 1.0
	if g.e.Reload().Err != nil {
		ok = 0
	}
	gauge(reloadDesc, ok)
}

// pauses counts lanes of one queue together: their keys are content.
func (g queueGauges) pauses(gauge func(*prometheus.Desc, float64, ...string), now time.Time) {
	type subject struct{ kind, name string }
	n := map[subject]int{}
	for _, p := range g.e.pauseList(now) {
		n[subject{p.Kind, p.Name}]++
	}
	for s, n := range n {
		gauge(orderedDesc, float64(n), s.kind, s.name)
	}
}
