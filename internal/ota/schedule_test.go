package ota_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matou-iot/matou/internal/broker"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/fault"
	"github.com/matou-iot/matou/internal/ota"
	"github.com/matou-iot/matou/internal/trace"
)

// rest lets time pass.
func rest(d time.Duration) {
	time.Sleep(d) // of the bubble
	synctest.Wait()
}

func TestADeviceThatIsThereIsToldAndDoneWhenItReportsTheVersion(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(2)
		h.connect("d000")
		h.inform("d000", "1.0")
		p := h.pack(ota.Package{Version: "2.0"}, "firmware")
		j := h.job(p, ota.Plan{TimeoutMinutes: 60})
		h.want(j, "d000 NOTIFIED 0, d001 QUEUED 0")
		if got := h.wire.devices(); got != "d000" {
			t.Fatalf("told: %s", got)
		}
		h.progress("d000", 50, "")
		h.progress("d000", 100, "")
		h.want(j, "d000 IN_PROGRESS 100, d001 QUEUED 0") // 100 alone is no success [aliyun-device §4.11]
		h.inform("d000", "2.0")
		h.want(j, "d000 SUCCEEDED 100, d001 QUEUED 0")
		if h.over(j) != ota.JobInProgress {
			t.Errorf("the job is %s with a device left", h.over(j))
		}
		h.connect("d001")
		h.want(j, "d000 SUCCEEDED 100, d001 QUEUED 0") // it may report first
		rest(3 * time.Second)
		h.want(j, "d000 SUCCEEDED 100, d001 NOTIFIED 0")
		h.inform("d001", "2.0")
		if h.over(j) != ota.Completed {
			t.Errorf("the job is %s", h.over(j))
		}
		if got := h.wire.devices(); got != "d001" {
			t.Errorf("told: %s", got)
		}
		line, _ := h.recorder.Timeline(lamp, "d000", trace.Query{})
		if len(line) != 1 || line[0].Code != "ota-succeeded" || line[0].SentenceZH == "" {
			t.Errorf("timeline: %+v", line)
		}
	})
}

// TestADeviceThatLosesPowerAtOnceIsToldAgain: it had begun, and boots with the
// old version seconds after it was told [aliyun-device §4.11].
func TestADeviceThatLosesPowerAtOnceIsToldAgain(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(2)
		h.connect("d000", "d001")
		for _, name := range []string{"d000", "d001"} {
			h.inform(name, "1.0")
		}
		j := h.job(h.pack(ota.Package{Version: "2.0"}, "firmware"), ota.Plan{TimeoutMinutes: 60})
		rest(time.Second)
		if got := h.wire.devices(); got != "d000 d001" {
			t.Fatalf("told: %s", got)
		}
		for _, name := range []string{"d000", "d001"} {
			h.progress(name, 30, "")
			h.inform(name, "1.0")
		}
		h.progress("d001", 31, "") // this one only said it once more
		if got := h.wire.devices(); got != "" {
			t.Errorf("told at once: %s", got)
		}
		rest(10 * time.Second)
		if got := h.wire.devices(); got != "d000" {
			t.Errorf("told again: %q", got)
		}
		h.want(j, "d000 NOTIFIED 0, d001 IN_PROGRESS 31")
		rest(time.Hour)
		h.want(j, "d000 NOTIFIED 0, d001 TIMED_OUT 31")
	})
}

func TestRateIsDevicesAMinute(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(6)
		h.connect("d000", "d001", "d002", "d003")
		p := h.pack(ota.Package{Version: "2.0"}, "firmware")
		h.job(p, ota.Plan{PerMinute: 2}) // one every 30 s
		for i, want := range []string{"d000", "d001", "d002"} {
			if got := h.wire.devices(); got != want {
				t.Errorf("after %d times 30s: told %q, want %s", i, got, want)
			}
			if i == 1 {
				h.connect("d004", "d005") // who comes takes the next free places
			}
			rest(30 * time.Second)
		}
		var got []string
		for range 4 {
			got = append(got, h.wire.devices())
			rest(30 * time.Second)
		}
		if s := strings.Join(got, ","); s != "d003,d004,d005," {
			t.Errorf("told %q", s)
		}
	})
}

func TestFailuresAreRetriedAsOftenAsTheJobSays(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(1)
		h.connect("d000")
		p := h.pack(ota.Package{Version: "2.0"}, "firmware")
		j := h.job(p, ota.Plan{Retries: 1, RetryAfterMinutes: 10})
		h.progress("d000", 30, "")
		h.progress("d000", 0, "-3")
		h.want(j, "d000 QUEUED 0")
		h.wire.devices()
		rest(9 * time.Minute)
		if got := h.wire.devices(); got != "" {
			t.Fatalf("told %s too early", got)
		}
		rest(time.Minute)
		if got := h.wire.devices(); got != "d000" {
			t.Fatalf("told %q", got)
		}
		h.progress("d000", 0, "-2")
		h.want(j, "d000 FAILED 0")
		list, _, _ := h.Tasks(h.Context(), ota.TaskQuery{Job: j.ID, Product: lamp})
		if k := list[0]; k.Code != "-2" || k.Desc != "said" || k.Failures != 2 {
			t.Errorf("%+v", k)
		}
		if h.over(j) != ota.Completed {
			t.Errorf("the job is %s", h.over(j))
		}
		// Somebody has it tried again.
		if k, err := h.Act(h.Context(), lamp, j.ID, "d000", ota.Retry); err != nil || k.State != ota.Queued {
			t.Fatal(k.State, err)
		}
		rest(time.Second)
		h.want(j, "d000 NOTIFIED 0")
		if h.over(j) != ota.JobInProgress {
			t.Errorf("the job is %s", h.over(j))
		}
		h.inform("d000", "2.0")
		if h.over(j) != ota.Completed {
			t.Errorf("the job is %s", h.over(j))
		}
	})
}

func TestTimeoutCountsFromTheFirstProgress(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(1)
		h.connect("d000")
		j := h.job(h.pack(ota.Package{Version: "2.0"}, "firmware"), ota.Plan{TimeoutMinutes: 5, Retries: 3})
		rest(time.Hour)
		h.want(j, "d000 NOTIFIED 0")
		h.progress("d000", 1, "")
		rest(4 * time.Minute)
		h.progress("d000", 80, "") // moves no deadline
		rest(time.Minute)
		h.want(j, "d000 TIMED_OUT 80") // and is not tried again [aliyun-cloud §2.11]
		if h.over(j) != ota.Completed {
			t.Errorf("the job is %s", h.over(j))
		}
	})
}

func TestAVersionThatIsNeitherIsAFailure(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(1)
		h.connect("d000")
		h.inform("d000", "1.0")
		j := h.job(h.pack(ota.Package{Version: "2.0"}, "firmware"), ota.Plan{})
		h.progress("d000", 90, "")
		h.inform("d000", "1.5")
		h.want(j, "d000 FAILED 90")
	})
}

func TestADeviceThatBeganAnewIsToldAgain(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(1)
		h.connect("d000")
		h.inform("d000", "1.0")
		j := h.job(h.pack(ota.Package{Version: "2.0"}, "firmware"), ota.Plan{})
		h.inform("d000", "1.0") // at once: it reports what it is, it has not begun anew
		if got := h.wire.devices(); got != "d000" {
			t.Fatalf("told %q", got)
		}
		rest(10 * time.Second)
		if got := h.wire.devices(); got != "d000" {
			t.Errorf("the report of the old version was forgotten: told %q", got)
		}
		h.progress("d000", 10, "")
		rest(time.Minute)
		h.inform("d000", "1.0")
		if got := h.wire.devices(); got != "d000" {
			t.Errorf("in the middle: told %q", got)
		}
		h.want(j, "d000 IN_PROGRESS 10")
		// One that was told and went away is told again, unless it reports.
		h.inform("d000", "2.0")
		h.want(j, "d000 SUCCEEDED 100")
	})
}

func TestATellingThatIsLostIsRepeatedWhenTheDeviceComesBack(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(1)
		h.connect("d000")
		j := h.job(h.pack(ota.Package{Version: "2.0"}, "firmware"), ota.Plan{})
		h.wire.devices()
		h.disconnect("d000")
		h.connect("d000")
		rest(29 * time.Second)
		if got := h.wire.devices(); got != "" {
			t.Errorf("told %q before it could report", got)
		}
		rest(2 * time.Second)
		if got := h.wire.devices(); got != "d000" {
			t.Errorf("told %q", got)
		}
		h.want(j, "d000 NOTIFIED 0")
	})
}

func TestWhoCannotBeToldIsTriedAgain(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(1)
		h.wire.failing("d000", broker.NotSubscribed)
		h.connect("d000")
		j := h.job(h.pack(ota.Package{Version: "2.0"}, "firmware"), ota.Plan{})
		h.want(j, "d000 QUEUED 0")
		h.wire.failing("d000", broker.Offline)
		rest(time.Minute)
		h.want(j, "d000 QUEUED 0")
		h.wire.failing("d000", broker.Delivered)
		h.wire.devices()
		rest(time.Hour)
		if got := h.wire.devices(); got != "" {
			t.Errorf("told %q while it was away", got)
		}
		h.connect("d000")
		rest(3 * time.Second)
		h.want(j, "d000 NOTIFIED 0")
	})
}

func TestPercentageIsSpreadRoundedDownAndNeverNobody(t *testing.T) {
	for _, tt := range []struct {
		percent float64
		fleet   int
		want    string
	}{
		{50, 6, "d001 QUEUED 0, d003 QUEUED 0, d005 QUEUED 0"},
		{34, 6, "d002 QUEUED 0, d005 QUEUED 0"},
		{0.001, 3, "d002 QUEUED 0"},
		{100, 2, "d000 QUEUED 0, d001 QUEUED 0"},
	} {
		bubble(t, func(h *house) {
			h.fleet(tt.fleet)
			j := h.job(h.pack(ota.Package{Version: "2.0"}, "firmware"), ota.Plan{Percent: tt.percent})
			h.want(j, tt.want)
		})
	}
}

func TestNamedDevicesAreToldWhyNot(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(5)
		h.inform("d000", "2.0")
		h.inform("d001", "1.0")
		h.inform("d002", "0.5")
		p := h.pack(ota.Package{Version: "2.0", Source: "1.0"}, "difference")
		j := h.job(p, ota.Plan{}, "d002", "d001", "d000", "d003", "d001")
		h.want(j, "d000 SUCCEEDED 100, d001 QUEUED 0, d002 CANCELED 0, d003 CANCELED 0")
		_, err := h.CreateJob(h.Context(), lamp, p.ID, ota.Plan{}, []string{"nobody"})
		hasKind(t, err, fault.KindNotFound)
		// Another job for the same module waits behind nobody: it is refused a
		// device that has an unfinished one, or takes its place.
		q := h.pack(ota.Package{Version: "3.0"}, "whole")
		k := h.job(q, ota.Plan{}, "d001", "d004")
		h.want(k, "d001 CANCELED 0, d004 QUEUED 0")
		k = h.job(q, ota.Plan{Overwrite: true}, "d001")
		h.want(k, "d001 QUEUED 0")
		h.want(j, "d000 SUCCEEDED 100, d001 CANCELED 0, d002 CANCELED 0, d003 CANCELED 0")
		if h.over(j) != ota.Completed {
			t.Errorf("a job without devices is %s", h.over(j))
		}
	})
}

func TestDynamicJobsTakeWhoReportsLater(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(4)
		h.connect("d000", "d001", "d002", "d003")
		h.inform("d000", "1.0")
		p := h.pack(ota.Package{Version: "2.0"}, "firmware")
		later := h.job(p, ota.Plan{Dynamic: true, LaterOnly: true, Sources: []string{"1.0"}})
		h.want(later, "")
		h.inform("d001", "1.0")
		h.inform("d002", "0.9") // fits no source
		h.inform("d003", "2.0")
		h.want(later, "d001 NOTIFIED 0")
		now := h.job(h.pack(ota.Package{Version: "3.0", Module: "default"}, "firmware"), ota.Plan{Dynamic: true, Sources: []string{"0.9", "2.0"}})
		rest(time.Second) // ten thousand a minute are not all at once
		h.want(now, "d002 NOTIFIED 0, d003 NOTIFIED 0")
		h.inform("d001", "2.0")
		h.want(later, "d001 SUCCEEDED 100")
		if h.over(later) != ota.JobInProgress {
			t.Errorf("a dynamic job is %s", h.over(later))
		}
		h.inform("d001", "2.0") // the next report: the other job's
		rest(time.Second)
		h.want(now, "d002 NOTIFIED 0, d003 NOTIFIED 0, d001 NOTIFIED 0")
		// Once a device: one that fails is not told for ever.
		h.progress("d001", 0, "-1")
		h.inform("d001", "2.0")
		h.want(now, "d002 NOTIFIED 0, d003 NOTIFIED 0, d001 FAILED 0")
		if err := h.Cancel(h.Context(), lamp, now.ID); err != nil {
			t.Fatal(err)
		}
		h.want(now, "d002 CANCELED 0, d003 CANCELED 0, d001 FAILED 0")
		h.inform("d002", "0.9")
		h.want(now, "d002 CANCELED 0, d003 CANCELED 0, d001 FAILED 0")
		hasKind(t, h.Cancel(h.Context(), lamp, now.ID), fault.KindConflict)
	})
}

func TestConfirmationSilenceAndStart(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(2)
		h.connect("d000", "d001")
		p := h.pack(ota.Package{Version: "2.0"}, "firmware")
		j := h.job(p, ota.Plan{Confirm: true, StartAt: time.Now().Add(time.Hour)}, "d000")
		if h.over(j) != ota.Planned {
			t.Errorf("the job is %s", h.over(j))
		}
		h.want(j, "")
		rest(time.Hour)
		h.want(j, "d000 CONFIRM 0")
		if u, err := h.Asked(h.Context(), &dialect.UpgradeQuery{Ask: ask("d000"), Module: "default"}); u != nil || err != nil {
			t.Errorf("an upgrade that is not confirmed is given: %+v %v", u, err)
		}
		if _, err := h.Act(h.Context(), lamp, j.ID, "d000", ota.Confirm); err != nil {
			t.Fatal(err)
		}
		rest(time.Second)
		h.want(j, "d000 NOTIFIED 0")
		_, err := h.Act(h.Context(), lamp, j.ID, "d000", ota.Confirm)
		hasKind(t, err, fault.KindConflict)

		h.wire.devices()
		silent := h.job(p, ota.Plan{Silent: true}, "d001")
		h.connect("d001")
		rest(time.Hour)
		h.want(silent, "d001 QUEUED 0")
		if got := h.wire.devices(); strings.Contains(got, "d001") {
			t.Errorf("told %s", got)
		}
		u, err := h.Asked(h.Context(), &dialect.UpgradeQuery{Ask: ask("d001"), Module: "default", Version: "1.0"})
		if err != nil || u == nil || u.Version != "2.0" || len(u.Files) != 1 || !strings.HasPrefix(u.Files[0].URL, "http://iot.example.com/firmware/") {
			t.Fatalf("%+v %v", u, err)
		}
		h.want(silent, "d001 NOTIFIED 0")
	})
}

func TestAJobGoesOnAfterARestart(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(3)
		h.connect("d000", "d001", "d002")
		p := h.pack(ota.Package{Version: "2.0"}, "firmware")
		j := h.job(p, ota.Plan{PerMinute: 1, TimeoutMinutes: 10})
		dynamic := h.job(h.pack(ota.Package{Version: "9", Module: "MCU"}, "mcu"), ota.Plan{Dynamic: true, LaterOnly: true})
		h.progress("d000", 40, "")
		h.wire.devices()
		h.restart()
		h.want(j, "d000 IN_PROGRESS 40, d001 QUEUED 0, d002 QUEUED 0")
		rest(2 * time.Minute)
		if got := h.wire.devices(); got != "d001 d002" {
			t.Errorf("told %q", got)
		}
		h.inform("d001", "2.0")
		h.inform("d002", "2.0")
		rest(8 * time.Minute)
		h.want(j, "d000 TIMED_OUT 40, d001 SUCCEEDED 100, d002 SUCCEEDED 100")
		if h.over(j) != ota.Completed {
			t.Errorf("the job is %s", h.over(j))
		}
		if _, err := h.Report(h.Context(), &dialect.VersionReport{Ask: ask("d000"), Module: "MCU", Version: "8"}); err != nil {
			t.Fatal(err)
		}
		h.want(dynamic, "d000 NOTIFIED 0")
	})
}

func TestAThousandDevicesAreSelectedInPages(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(1200)
		j := h.job(h.pack(ota.Package{Version: "2.0"}, "firmware"), ota.Plan{})
		p, err := h.Job(h.Context(), lamp, j.ID)
		if err != nil || p.Devices != 1200 || p.States[ota.Queued] != 1200 {
			t.Errorf("%d selected, %v, %v", p.Devices, p.States, err)
		}
		page, next, err := h.Tasks(h.Context(), ota.TaskQuery{Job: j.ID, Product: lamp, Limit: 700})
		if err != nil || len(page) != 700 || next == 0 {
			t.Fatal(len(page), next, err)
		}
		page, next, err = h.Tasks(h.Context(), ota.TaskQuery{Job: j.ID, Product: lamp, Limit: 700, After: next})
		if err != nil || len(page) != 500 || next != 0 || page[499].Device != "d999" {
			t.Error(len(page), next, err)
		}
	})
}

func TestPlansThatCannotBe(t *testing.T) {
	bubble(t, func(h *house) {
		h.fleet(1)
		whole := h.pack(ota.Package{Version: "2.0"}, "firmware")
		diff := h.pack(ota.Package{Version: "2.0", Source: "1.0"}, "difference")
		for _, tt := range []struct {
			field string
			pkg   ota.Package
			plan  ota.Plan
			names []string
		}{
			{"percent", whole, ota.Plan{Percent: 101}, nil},
			{"percent", whole, ota.Plan{Percent: -1}, nil},
			{"percent", whole, ota.Plan{Percent: 5}, []string{"d000"}},
			{"dynamic", whole, ota.Plan{Dynamic: true, Percent: 5}, nil},
			{"dynamic", whole, ota.Plan{Dynamic: true}, []string{"d000"}},
			{"laterOnly", whole, ota.Plan{LaterOnly: true}, nil},
			{"sources", whole, ota.Plan{Sources: []string{"2.0"}}, nil},
			{"sources", whole, ota.Plan{Sources: []string{""}}, nil},
			{"sources", whole, ota.Plan{Sources: make([]string, 11)}, nil},
			{"sources", diff, ota.Plan{Sources: []string{"1.1"}}, nil},
			{"protocol", whole, ota.Plan{Protocol: "ftp"}, nil},
			{"perMinute", whole, ota.Plan{PerMinute: -1}, nil},
			{"perMinute", whole, ota.Plan{PerMinute: 10_001}, nil},
			{"retries", whole, ota.Plan{Retries: 6}, nil},
			{"retryAfterMinutes", whole, ota.Plan{RetryAfterMinutes: 1441}, nil},
			{"timeoutMinutes", whole, ota.Plan{TimeoutMinutes: 1441}, nil},
			{"startAt", whole, ota.Plan{StartAt: time.Now().Add(31 * 24 * time.Hour)}, nil},
			{"devices", whole, ota.Plan{}, make([]string, 10_001)},
		} {
			_, err := h.CreateJob(h.Context(), lamp, tt.pkg.ID, tt.plan, tt.names)
			var field string
			if f, ok := err.(*fault.Error); ok {
				field = f.Field
			}
			if fault.KindOf(err) != fault.KindInvalid || field != tt.field {
				t.Errorf("%+v: %v (%s)", tt.plan, err, field)
			}
		}
		_, err := h.CreateJob(h.Context(), lamp, "none", ota.Plan{}, nil)
		hasKind(t, err, fault.KindNotFound)
		jobs, _, _ := h.Jobs(h.Context(), ota.JobQuery{Product: lamp})
		if len(jobs) != 0 {
			t.Errorf("%d jobs were made", len(jobs))
		}
	})
}
