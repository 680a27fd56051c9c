package httpapi

import (
	"net/http"
	"net/http/pprof"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/matou-iot/matou/internal/access"
	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/fault"
)

// operate adds what operators' tools ask: metrics for Prometheus and profiles
// for go tool pprof. They need a token like everything else; Prometheus sends
// it with `authorization: credentials_file`.
func (a *api) operate(mux *http.ServeMux) {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	a.measure(r)
	if a.Measure != nil {
		a.Measure(r)
	}
	mux.Handle("GET /metrics", a.only(access.Viewer, promhttp.HandlerFor(r, promhttp.HandlerOpts{})))
	profiles := http.NewServeMux()
	profiles.HandleFunc("/debug/pprof/", pprof.Index)
	profiles.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	profiles.HandleFunc("/debug/pprof/profile", pprof.Profile)
	profiles.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	profiles.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.Handle("/debug/pprof/", a.only(access.Administrator, profiles))
}

// only lets in who has the role.
func (a *api) only(need access.Role, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, err := bearer(r.Header.Get("Authorization"))
		var p access.Principal
		if err == nil {
			p, err = a.Access.Authenticate(r.Context(), token)
		}
		if err == nil && !p.Role.Includes(need) {
			err = fault.Forbidden("this needs the role %s; %s has the role %s", need, p.Name, p.Role)
		}
		if err != nil {
			if fault.KindOf(err) == fault.KindUnauthorized {
				w.Header().Set("WWW-Authenticate", `Bearer realm="Matou"`)
			}
			plain(w, statuses[fault.KindOf(err)], languageIn(r.Context()).sentence(err))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// measure registers the figures. They are read when they are asked for.
func (a *api) measure(r prometheus.Registerer) {
	gauge := func(name, help string, read func() float64, labels ...string) {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "matou", Name: name, Help: help, ConstLabels: pairs(labels)}, read))
	}
	counter := func(name, help string, read func() float64, labels ...string) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: "matou", Name: name, Help: help, ConstLabels: pairs(labels)}, read))
	}
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: "matou", Name: "build_info", Help: "1, with the version.", ConstLabels: prometheus.Labels{"version": a.Version},
	}, func() float64 { return 1 }))

	b := a.Broker.Counters()
	gauge("mqtt_connections", "Open network connections on the device ports.", of(b.Connections.Load))
	gauge("mqtt_clients", "Clients connected by MQTT.", of(b.Clients.Load))
	gauge("mqtt_sessions", "Sessions of present and absent clients.", of(b.Sessions.Load))
	gauge("mqtt_sessions_offline", "Sessions of absent clients.", of(b.Offline.Load))
	gauge("mqtt_subscriptions", "Subscriptions.", of(b.Subscriptions.Load))
	gauge("mqtt_retained_messages", "Retained messages.", of(b.Retained.Load))
	gauge("mqtt_retained_bytes", "Bytes of retained messages.", of(b.RetainedBytes.Load))
	gauge("mqtt_queued_messages", "Messages that wait in sessions.", of(b.Queued.Load))
	gauge("mqtt_queued_bytes", "Bytes of messages that wait in sessions.", of(b.QueuedBytes.Load))
	counter("mqtt_connections_accepted_total", "Network connections accepted.", of(b.Accepted.Load))
	counter("mqtt_connects_total", "CONNECTs by outcome.", of(b.Connects.Load), "outcome", "admitted")
	counter("mqtt_connects_total", "CONNECTs by outcome.", of(b.Refused.Load), "outcome", "refused")
	counter("mqtt_connects_throttled_total", "CONNECTs refused because their device logs in too often.", of(b.Throttled.Load))
	counter("mqtt_takeovers_total", "Connections ended by a newer one of the same session.", of(b.TakeOvers.Load))
	counter("mqtt_publish_received_total", "PUBLISH packets received.", of(b.MessagesIn.Load))
	counter("mqtt_publish_sent_total", "PUBLISH packets sent.", of(b.MessagesOut.Load))
	counter("mqtt_bytes_received_total", "Bytes received.", of(b.BytesIn.Load))
	counter("mqtt_bytes_sent_total", "Bytes sent.", of(b.BytesOut.Load))
	counter("mqtt_sessions_expired_total", "Sessions whose client did not come back in time.", of(b.ExpiredSessions.Load))
	counter("mqtt_sessions_dropped_total", "Sessions not kept at a limit.", of(b.DroppedSessions.Load))
	counter("mqtt_store_errors_total", "Times that sessions could not be made durable.", of(b.StoreErrors.Load))
	by := func(name, help, label string, values map[string]*atomic.Int64) {
		for value, n := range values {
			counter(name, help, of(n.Load), label, value)
		}
	}
	by("mqtt_connections_shed_total", "Connections closed unread at a limit.", "reason", map[string]*atomic.Int64{
		"connections": &b.ShedConnections, "connections_per_address": &b.ShedPerAddress, "connect_rate_per_address": &b.ShedRate,
	})
	by("mqtt_connections_rejected_total", "Connections that never came to a CONNECT.", "reason", map[string]*atomic.Int64{
		"timeout": &b.RejectedLate, "packet": &b.RejectedPacket, "tls": &b.RejectedTLS, "proxy_header": &b.RejectedProxy,
	})
	by("mqtt_protocol_errors_total", "Connections ended by a broken packet or rule.", "reason", map[string]*atomic.Int64{
		"packet_too_large": &b.FaultsPacketSize, "topic_name_invalid": &b.FaultsTopic, "topic_alias_invalid": &b.FaultsTopicAlias,
		"receive_maximum_exceeded": &b.FaultsReceiveMaximum, "other": &b.FaultsOther,
	})
	by("mqtt_subscriptions_refused_total", "Subscriptions refused.", "reason", map[string]*atomic.Int64{
		"quota_exceeded": &b.UnsubscribedLimit, "topic_filter_invalid": &b.UnsubscribedFilter, "other": &b.UnsubscribedOther,
	})
	by("mqtt_messages_dropped_total", "Messages dropped, by reason.", "reason", map[string]*atomic.Int64{
		"slow": &b.DroppedSlow, "queue_full": &b.DroppedQueueFull, "expired": &b.DroppedExpired,
		"too_large": &b.DroppedTooLarge, "retained_full": &b.DroppedRetained, "throttled": &b.DroppedThrottled,
	})
	by("mqtt_disconnects_total", "Connections of MQTT clients that ended, by cause.", "cause", map[string]*atomic.Int64{
		"client": &b.Ended[broker.Disconnected], "lost": &b.Ended[broker.Lost], "keep_alive": &b.Ended[broker.KeepAliveOver],
		"taken_over": &b.Ended[broker.TakenOver], "protocol_error": &b.Ended[broker.Faulted], "rules": &b.Ended[broker.RulesClosed],
		"slow": &b.Ended[broker.TooSlow], "not_kept": &b.Ended[broker.NotKept], "administrator": &b.Ended[broker.Kicked],
		"shutdown": &b.Ended[broker.ServerDown],
	})

	f := a.Feed.Counters()
	counter("feed_records_total", "Durable records of reports, events, commands and states.", of(f.Records.Load))
	counter("feed_commits_total", "Commits by outcome.", of(f.Batches.Load), "outcome", "kept")
	counter("feed_commits_total", "Commits by outcome.", of(f.Failures.Load), "outcome", "failed")
	counter("feed_commit_seconds_total", "Time spent committing.", func() float64 { return float64(f.Busy.Load()) / 1e9 })
	counter("feed_missed_total", "Records that live streams were too slow for.", of(f.Missed.Load))
	gauge("feed_pending_bytes", "Bytes that wait to be committed.", func() float64 { return float64(a.Feed.Pending()) })
	gauge("history_applied", "Sequence of the record up to which history has read.", func() float64 { return float64(a.History.Applied()) })
	if a.Files != nil {
		u := a.Files.Counters()
		gauge("file_uploads", "Uploads of devices that are under way.", func() float64 { return float64(a.Files.UnderWay()) })
		counter("file_uploads_begun_total", "Uploads that devices began.", of(u.Begun.Load))
		by("file_uploads_ended_total", "Uploads that ended, by what became of them.", "outcome", map[string]*atomic.Int64{
			"arrived": &u.Arrived, "cancelled": &u.Cancelled, "forgotten": &u.Forgotten,
		})
		counter("file_requests_refused_total", "Requests about uploads that were refused.", of(u.Refused.Load))
		counter("file_bytes_received_total", "Bytes of blocks that were taken.", of(u.Bytes.Load))
	}
	gauge("devices_online", "Devices that are online.", func() float64 { return float64(a.Registry.CountOnline()) })
}

func of(read func() int64) func() float64 { return func() float64 { return float64(read()) } }

func pairs(labels []string) prometheus.Labels {
	if len(labels) == 0 {
		return nil
	}
	return prometheus.Labels{labels[0]: labels[1]}
}
