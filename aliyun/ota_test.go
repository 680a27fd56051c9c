package aliyun

import (
	"errors"
	"testing"
)

func TestOTAReportsAreRead(t *testing.T) {
	var d Decoder
	for _, tt := range []struct {
		name, in string
		read     func([]byte) (OTAReport, error)
		want     OTAReport
		id       string
		err      error
	}{
		{"inform of the documentation", `{"id":1,"params":{"version":"1.0.1","module":"MCU"}}`, d.OTAInform, OTAReport{Module: "MCU", Version: "1.0.1"}, "1", nil},
		{"inform of the main firmware", `{"id":"7","params":{"version":"1.0.1"}}`, d.OTAInform, OTAReport{Module: "default", Version: "1.0.1"}, "7", nil},
		{"module named default", `{"id":"7","params":{"version":"1.0.1","module":"default"}}`, d.OTAInform, OTAReport{Module: "default", Version: "1.0.1"}, "7", nil},
		{"version as a number", `{"id":"7","params":{"version":1.2}}`, d.OTAInform, OTAReport{Module: "default", Version: "1.2"}, "7", nil},
		{"params as a text, single quotes", `{'params':"{\"version\":\"2\"}"}`, d.OTAInform, OTAReport{Module: "default", Version: "2"}, "", nil},
		{"no version", `{"id":"7","params":{}}`, d.OTAInform, OTAReport{Module: "default"}, "7", ErrNoVersion},
		{"a version of 65 characters", `{"params":{"version":"12345678901234567890123456789012345678901234567890123456789012345"}}`, d.OTAInform,
			OTAReport{Module: "default", Version: "12345678901234567890123456789012345678901234567890123456789012345"}, "", ErrNoVersion},
		{"progress of the documentation", `{"id":1,"params":{"step":"50","desc":"","module":"MCU"}}`, d.OTAProgress, OTAReport{Module: "MCU", Step: 50}, "1", nil},
		{"progress as a number", `{"id":1,"params":{"step":100}}`, d.OTAProgress, OTAReport{Module: "default", Step: 100}, "1", nil},
		{"failure with words", `{"id":1,"params":{"step":"-3","desc":"MD5 differs"}}`, d.OTAProgress, OTAReport{Module: "default", Step: -3, Desc: "MD5 differs"}, "1", nil},
		{"step above 100", `{"id":1,"params":{"step":"101"}}`, d.OTAProgress, OTAReport{Module: "default", Step: 101}, "1", ErrNoStep},
		{"step below -4", `{"id":1,"params":{"step":"-5"}}`, d.OTAProgress, OTAReport{Module: "default", Step: -5}, "1", ErrNoStep},
		{"no step", `{"id":1,"params":{"desc":"hm"}}`, d.OTAProgress, OTAReport{Module: "default", Desc: "hm"}, "1", ErrNoStep},
		{"firmware get", `{"id":"123","version":"1.0","params":{"module":"MCU"},"method":"thing.ota.firmware.get"}`, d.OTARequest, OTAReport{Module: "MCU"}, "123", nil},
		{"firmware get without params", `{"id":"123"}`, d.OTARequest, OTAReport{Module: "default"}, "123", nil},
		{"the older request", `{"id":1,"params":{"version":"1.0.1"}}`, d.OTARequest, OTAReport{Module: "default", Version: "1.0.1"}, "1", nil},
		{"a list for params", `{"id":1,"params":[]}`, d.OTARequest, OTAReport{}, "1", errAny},
		{"an object for a version", `{"id":1,"params":{"version":{}}}`, d.OTAInform, OTAReport{}, "1", errAny},
		{"no JSON", `version=1`, d.OTAInform, OTAReport{}, "", errAny},
	} {
		got, err := tt.read([]byte(tt.in))
		if !errors.Is(err, tt.err) && (err == nil || tt.err != errAny) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.err)
		}
		if tt.err != errAny && got != tt.want || string(d.ID) != tt.id {
			t.Errorf("%s: %+v with id %q, want %+v with %q", tt.name, got, d.ID, tt.want, tt.id)
		}
	}
}

// errAny is any error.
var errAny = errors.New("any")

const (
	aMD5    = "93230c3bde425a9d7984a594ac55ea1e"
	aSHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

func TestOTAUpgradeBytes(t *testing.T) {
	whole := OTAUpgrade{Version: "2.0.0", SignMethod: SignMD5, Module: "MCU", Extra: `{"key1":"v"}`,
		Files: []OTAFile{{Size: 432945, URL: "https://host/path", MD5: aMD5, Sign: aMD5}}}
	mqtt := whole
	mqtt.StreamID, mqtt.Module, mqtt.Extra = 1397345, DefaultModule, ""
	several := OTAUpgrade{Version: "2.0.0", Diff: true, SignMethod: SignMD5, Files: []OTAFile{
		{Name: "a.bin", Size: 1, URL: "http://h/1", MD5: aMD5, Sign: aMD5}, {Name: "b.bin", Size: 2, URL: "http://h/2", MD5: aMD5, Sign: aMD5}}}
	withID := whole
	withID.Extra = `{"id":"x"}`
	for _, tt := range []struct {
		name string
		got  []byte
		want string
	}{
		{"push of the documentation", AppendOTAUpgrade(nil, "1507707025", &whole),
			`{"code":"1000","data":{"size":432945,"version":"2.0.0","isDiff":0,"url":"https://host/path","md5":"` + aMD5 + `","sign":"` + aMD5 + `","signMethod":"Md5","module":"MCU","extData":{"key1":"v"}},"id":1507707025,"message":"success"}`},
		{"SHA256, the main firmware, an id of text", AppendOTAUpgrade(nil, "a", &OTAUpgrade{Version: "1", SignMethod: SignSHA256, Module: DefaultModule, Files: []OTAFile{{Size: 0, URL: "u", Sign: aSHA256}}}),
			`{"code":"1000","data":{"size":0,"version":"1","isDiff":0,"url":"u","sign":"` + aSHA256 + `","signMethod":"SHA256"},"id":"a","message":"success"}`},
		{"an id with a zero in front stays text", AppendOTAUpgrade(nil, "01", nil), `{"code":"1000","data":{},"id":"01","message":"success"}`},
		{"over MQTT", AppendOTAData(nil, &mqtt),
			`{"size":432945,"version":"2.0.0","isDiff":0,"dProtocol":"mqtt","streamId":1397345,"streamFileId":1,"md5":"` + aMD5 + `","sign":"` + aMD5 + `","signMethod":"Md5"}`},
		{"several files of a difference", AppendOTAData(nil, &several),
			`{"version":"2.0.0","isDiff":1,"signMethod":"Md5","files":[{"fileSize":1,"fileUrl":"http://h/1","fileName":"a.bin","fileMd5":"` + aMD5 + `","fileSign":"` + aMD5 + `"},{"fileSize":2,"fileUrl":"http://h/2","fileName":"b.bin","fileMd5":"` + aMD5 + `","fileSign":"` + aMD5 + `"}]}`},
		{"the id first where data has one", AppendOTAUpgrade(nil, "5", &withID),
			`{"code":"1000","id":5,"data":{"size":432945,"version":"2.0.0","isDiff":0,"url":"https://host/path","md5":"` + aMD5 + `","sign":"` + aMD5 + `","signMethod":"Md5","module":"MCU","extData":{"id":"x"}},"message":"success"}`},
		{"nothing to do", AppendReply(nil, 200, AppendOTAData(nil, nil), []byte("123"), "success", "thing.ota.firmware.get"),
			`{"code":200,"data":{},"id":"123","message":"success","method":"thing.ota.firmware.get","version":"1.0"}`},
		{"nothing to do, as it was", AppendOTANone(nil), `{"code":500,"message":"none upgrade operation of the device."}`},
	} {
		if string(tt.got) != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, tt.got, tt.want)
		}
	}
}

func TestOTAFailuresHaveWords(t *testing.T) {
	for step := -4; step < 0; step++ {
		if en, zh := OTAFailure(step); en == "" || zh == "" {
			t.Errorf("step %d: %q %q", step, en, zh)
		}
	}
	if en, _ := OTAFailure(50); en != "" {
		t.Errorf("50 is no failure: %q", en)
	}
}

func FuzzOTAReports(f *testing.F) {
	f.Add([]byte(`{"id":1,"params":{"version":"1.0.1","module":"MCU","step":"5"}}`))
	f.Add([]byte(`{'params':"{\"version\":\"2\"}"}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		var d Decoder
		if r, err := d.OTAInform(doc); err == nil && (r.Version == "" || len(r.Version) > MaxVersionBytes || r.Module == "" || len(r.Module) > MaxVersionBytes) {
			t.Errorf("%q: %+v", doc, r)
		}
		if r, err := d.OTAProgress(doc); err == nil && (r.Step < -4 || r.Step > 100) {
			t.Errorf("%q: %+v", doc, r)
		}
		if r, err := d.OTARequest(doc); err == nil && r.Module == "" {
			t.Errorf("%q: %+v", doc, r)
		}
	})
}
