package onenet

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

// sampleKey is the documentation's sample key [onenet §2.4].
const sampleKey = "KuF3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw="

// officialKey is the one of the official example [onenet §2.4].
const officialKey = "EnW4T71eIE55xOIQMN6pFMKuqel5T5HTzsGJRPiDhlM="

// sampleKeyHex is what sampleKey decodes to.
const sampleKeyHex = "2ae177353fe350127ad8b34107f03c5d903d0aa4b70aeefd07f00199f035502c"

func TestSignVectors(t *testing.T) {
	for _, tt := range []struct {
		name         string
		key          string
		version, res string
		et           string
		method       Method
		sign         string
	}{
		{"the official example", officialKey, "2018-10-31", "products/238322/devices/mqtts-test-device", "7557387130", "sha1", "Rs0u/KnyoK5/MuKo5xKa0tW+WqY="},
		{"device md5", sampleKey, "2018-10-31", "products/VRqhDHF2wL/devices/my_tv", "1893456000", "md5", "PgVxWXVTpPoe+JQ41KzjCQ=="},
		{"device sha1", sampleKey, "2018-10-31", "products/VRqhDHF2wL/devices/my_tv", "1893456000", "sha1", "fDfXBcMmuy1xrSMDu5C1CLAxmCo="},
		{"device sha256", sampleKey, "2018-10-31", "products/VRqhDHF2wL/devices/my_tv", "1893456000", "sha256", "U9GMMh9J+Q/AA0Nxo9a0hWu797cnmtdeQA77h2qpQUU="},
		{"product md5", sampleKey, "2018-10-31", "products/VRqhDHF2wL", "1893456000", "md5", "HcdmqRmzZSC4noBGClZndg=="},
		{"product sha1", sampleKey, "2018-10-31", "products/VRqhDHF2wL", "1893456000", "sha1", "+oTDL1B5EUIJonZSojO15238FR0="},
		{"product sha256", sampleKey, "2018-10-31", "products/VRqhDHF2wL", "1893456000", "sha256", "Su61tTSHGL084GnVzJLEXXvdvQ2paKicf+ZQ8vmGT1Q="},
		{"user 2020 md5", sampleKey, "2020-05-29", "userid/12321", "1893456000", "md5", "wvTXZgaApWvTKI47Y+gH4A=="},
		{"user 2020 sha1", sampleKey, "2020-05-29", "userid/12321", "1893456000", "sha1", "LPBupRsyaEEQx56gqihBSvQdzhk="},
		{"user 2020 sha256", sampleKey, "2020-05-29", "userid/12321", "1893456000", "sha256", "IPz3lmS/ceHWoXEOA1gE02V9LTjuXZOhiTiwguiXndI="},
		{"user 2022 md5", sampleKey, "2022-05-01", "userid/12321", "1893456000", "md5", "fEWK0OXjbicZ5wJgUd9HeQ=="},
		{"user 2022 sha1", sampleKey, "2022-05-01", "userid/12321", "1893456000", "sha1", "gLRvpgriL/DTz8dMB9VlrDPunsQ="},
		{"user 2022 sha256", sampleKey, "2022-05-01", "userid/12321", "1893456000", "sha256", "qFXjNCbXPEDoL5D5ayW2wdviiUS9Cc+AFPVaEae8SpM="},
		{"queue md5", sampleKey, "2018-10-31", "mqs/test_mq", "1893456000", "md5", "Vcxy236c1K7J3S7d7Qm+YQ=="},
		{"queue sha1", sampleKey, "2018-10-31", "mqs/test_mq", "1893456000", "sha1", "NBRRDY9m8IdadYkWm2M1X1YZ9WU="},
		{"queue sha256", sampleKey, "2018-10-31", "mqs/test_mq", "1893456000", "sha256", "0JaA9z7Z/fPwoSLordPmKN1JYT17hBzPaR6qJpQzlRM="},
		{"project group", sampleKey, "2020-05-29", "projectid/KLza8R/groupid/uwYqby", "1893456000", "sha1", "8lxu3pAlDfj3Kfhx7UM9NaZVT5M="},
		{"product with digits, 2018", sampleKey, "2018-10-31", "products/123123", "1537255523", "sha1", "lsaPSiiGvEFFjXu5WU7a6IkScqE="},
		{"method in capitals is signed in capitals", sampleKey, "2022-05-01", "userid/12321", "2051193600", "SHA256", "L95HdRqIsb1fOw6JNvdjN9ujCQT2TYXmnhzU/FnILg8="},
	} {
		t.Run(tt.name, func(t *testing.T) {
			key, err := DecodeKey(tt.key)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Token{Version: tt.version, Res: tt.res, Et: tt.et, Method: tt.method}.Signed(key)
			if err != nil || got.Sign != tt.sign {
				t.Errorf("sign %q, %v; want %q", got.Sign, err, tt.sign)
			}
		})
	}
}

// The complete tokens of [onenet §2.4].
const (
	officialToken = "version=2018-10-31&res=products%2F238322%2Fdevices%2Fmqtts-test-device&et=7557387130&method=sha1&sign=Rs0u%2FKnyoK5%2FMuKo5xKa0tW%2BWqY%3D"
	md5Token      = "version=2018-10-31&res=products%2FVRqhDHF2wL%2Fdevices%2Fmy_tv&et=1893456000&method=md5&sign=PgVxWXVTpPoe%2BJQ41KzjCQ%3D%3D"
	sha1Token     = "version=2018-10-31&res=products%2FVRqhDHF2wL%2Fdevices%2Fmy_tv&et=1893456000&method=sha1&sign=fDfXBcMmuy1xrSMDu5C1CLAxmCo%3D"
	sha256Token   = "version=2018-10-31&res=products%2FVRqhDHF2wL%2Fdevices%2Fmy_tv&et=1893456000&method=sha256&sign=U9GMMh9J%2BQ%2FAA0Nxo9a0hWu797cnmtdeQA77h2qpQUU%3D"
	productMD5    = "version=2018-10-31&res=products%2FVRqhDHF2wL&et=1893456000&method=md5&sign=HcdmqRmzZSC4noBGClZndg%3D%3D"
	productSHA1   = "version=2018-10-31&res=products%2FVRqhDHF2wL&et=1893456000&method=sha1&sign=%2BoTDL1B5EUIJonZSojO15238FR0%3D"
	productSHA256 = "version=2018-10-31&res=products%2FVRqhDHF2wL&et=1893456000&method=sha256&sign=Su61tTSHGL084GnVzJLEXXvdvQ2paKicf%2BZQ8vmGT1Q%3D"
	seedToken     = "version=2018-10-31&res=products%2FVRqhDHF2wL%2Fdevices%2Fmy_tv&et=1661245031&method=md5&sign=y4iDPu6Yp84FO7sxpcdcSQ%3D%3D"
)

func TestTokenTexts(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Options
		want string
	}{
		{"the official example", Options{ProductID: "238322", DeviceName: "mqtts-test-device", Key: officialKey, Expiry: 7557387130}, officialToken},
		{"md5", Options{ProductID: "VRqhDHF2wL", DeviceName: "my_tv", Key: sampleKey, Expiry: 1893456000, Method: MD5}, md5Token},
		{"sha1 is the default", Options{ProductID: "VRqhDHF2wL", DeviceName: "my_tv", Key: sampleKey, Expiry: 1893456000}, sha1Token},
		{"sha256", Options{ProductID: "VRqhDHF2wL", DeviceName: "my_tv", Key: sampleKey, Expiry: 1893456000, Method: SHA256}, sha256Token},
		{"product md5", Options{Res: "products/VRqhDHF2wL", Key: sampleKey, Expiry: 1893456000, Method: MD5}, productMD5},
		{"product sha1", Options{Res: "products/VRqhDHF2wL", Key: sampleKey, Expiry: 1893456000, Method: SHA1}, productSHA1},
		{"product sha256", Options{Res: ProductRes("VRqhDHF2wL"), Key: sampleKey, Expiry: 1893456000, Method: SHA256}, productSHA256},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tok, err := NewToken(tt.o)
			if err != nil || tok.String() != tt.want {
				t.Fatalf("%s, %v\nwant %s", tok, err, tt.want)
			}
			back, err := ParseToken([]byte(tt.want))
			if err != nil || back != tok {
				t.Errorf("parsed %+v, %v; want %+v", back, err, tok)
			}
		})
	}
}

func TestParseTokenTolerates(t *testing.T) {
	want, err := ParseToken([]byte(sha1Token))
	if err != nil {
		t.Fatal(err)
	}
	const plainSign = "fDfXBcMmuy1xrSMDu5C1CLAxmCo="
	for _, tt := range []struct {
		name, token string
		quirks      Quirks
	}{
		{"the order of the adapter SDK [onenet §2.3]", "et=1893456000&method=sha1&res=products%2FVRqhDHF2wL%2Fdevices%2Fmy_tv&version=2018-10-31&sign=fDfXBcMmuy1xrSMDu5C1CLAxmCo%3D", 0},
		{"res not encoded", "version=2018-10-31&res=products/VRqhDHF2wL/devices/my_tv&et=1893456000&method=sha1&sign=fDfXBcMmuy1xrSMDu5C1CLAxmCo%3D", PlainRes},
		{"sign not encoded", "version=2018-10-31&res=products%2FVRqhDHF2wL%2Fdevices%2Fmy_tv&et=1893456000&method=sha1&sign=" + plainSign, PlainSign},
		{"lower-case escapes", strings.ToLower(sha1Token[:66]) + sha1Token[66:], 0},
		{"CR LF behind", sha1Token + "\r\n", TrailingBytes},
		{"NUL behind", sha1Token + "\x00", TrailingBytes},
		{"a part nobody knows", sha1Token + "&x=1", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if strings.HasPrefix(tt.name, "lower") {
				tt.token = strings.ReplaceAll(sha1Token, "%2F", "%2f")
			}
			got, err := ParseToken([]byte(tt.token))
			if got.Quirks != tt.quirks {
				t.Errorf("quirks %b, want %b", got.Quirks, tt.quirks)
			}
			got.Quirks = 0
			if err != nil || got != want {
				t.Errorf("%+v, %v; want %+v", got, err, want)
			}
		})
	}
}

func TestParseTokenKeepsPlus(t *testing.T) {
	got, err := ParseToken([]byte("version=2018-10-31&res=products/VRqhDHF2wL&et=1893456000&method=sha1&sign=+oTDL1B5EUIJonZSojO15238FR0="))
	if err != nil || got.Sign != "+oTDL1B5EUIJonZSojO15238FR0=" {
		t.Errorf("sign %q, %v: a plus is never a blank [onenet §2.3]", got.Sign, err)
	}
}

func TestParseTokenRefuses(t *testing.T) {
	for _, tt := range []struct{ name, token, part string }{
		{"nothing", "", ""},
		{"only control bytes", "\r\n\x00", ""},
		{"no parts at all", "abcdefg", "version"},
		{"without version", sha1Token[len("version=2018-10-31&"):], "version"},
		{"cut before sign", sha1Token[:strings.Index(sha1Token, "&sign")], "sign"},
		{"cut inside sign", sha1Token[:len(sha1Token)-9], "sign"},
		{"et with a point", strings.Replace(sha1Token, "1893456000", "1893456000.0", 1), "et"},
		{"et below zero", strings.Replace(sha1Token, "1893456000", "-1", 1), "et"},
		{"et beyond 64 bits", strings.Replace(sha1Token, "1893456000", "99999999999999999999", 1), "et"},
		{"an unknown method", strings.Replace(sha1Token, "sha1", "sha512", 1), "method"},
		{"sign twice", sha1Token + "&sign=AAAA", "sign"},
		{"more parts than any token", strings.Repeat("a=1&", 20) + sha1Token, ""},
		{"larger than any token", strings.Repeat("a", maxTokenBytes+1), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseToken([]byte(tt.token))
			bad, ok := errors.AsType[*TokenError](err)
			if !ok || bad.Part != tt.part {
				t.Errorf("error %v, want one about %q", err, tt.part)
			}
		})
	}
}

func TestExpiryOfOldClients(t *testing.T) {
	for et, want := range map[string]int64{"7557387130": 7557387130, "32472115200": 32472115200, "1893456000000": 1893456000000} {
		if got, err := (Token{Et: et}).Expiry(); err != nil || got != want {
			t.Errorf("et %s is %d, %v [onenet §2.3]", et, got, err)
		}
	}
}

func TestDecodeKey(t *testing.T) {
	want, err := hex.DecodeString(sampleKeyHex)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, key string
		ok        bool
	}{
		{"as the console shows it", sampleKey, true},
		{"missing padding [onenet §2.1]", strings.TrimRight(sampleKey, "="), true},
		{"a line end behind it", sampleKey + "\r\n", true},
		{"empty", "", false},
		{"not Base64", "Ku*3NT/jUBJ62LNBB/A8XZA9CqS3Cu79B/ABmfA1UCw=", false},
		{"URL-safe letters", strings.ReplaceAll(sampleKey, "/", "_"), false},
		{"a line end inside", sampleKey[:20] + "\n" + sampleKey[20:], false},
		{"too short to be a key", "AAAA", false},
		{"too long to be a key", strings.Repeat("A", 400), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := DecodeKey(tt.key)
			if tt.ok && (err != nil || string(got) != string(want)) {
				t.Errorf("%x, %v; want %x", got, err, want)
			}
			if !tt.ok && !errors.Is(err, ErrKey) {
				t.Errorf("%x, %v; want ErrKey", got, err)
			}
		})
	}
	for _, key := range []string{
		base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef")), // newer device keys
		strings.Repeat("ABCD", 16),                          // 48 bytes: of a user
		base64.StdEncoding.EncodeToString(make([]byte, 64)), // 64 bytes: of a user
	} {
		if _, err := DecodeKey(key); err != nil {
			t.Errorf("a key of %d characters: %v", len(key), err)
		}
	}
}

func TestCredentials(t *testing.T) {
	o := Options{ProductID: "VRqhDHF2wL", DeviceName: "my_tv", Key: sampleKey, Expiry: 1893456000}
	got, err := Credentials(o)
	if want := (Login{ClientID: "my_tv", Username: "VRqhDHF2wL", Password: sha1Token, Port: 1883}); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
	for _, tt := range []struct {
		name   string
		change func(*Options)
		is     error
	}{
		{"no expiry", func(o *Options) { o.Expiry = 0 }, ErrExpiry},
		{"a key that is none", func(o *Options) { o.Key = "secret!" }, ErrKey},
		{"an unknown method", func(o *Options) { o.Method = "sha512" }, nil},
		{"no device", func(o *Options) { o.DeviceName = "" }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := o
			tt.change(&o)
			_, err := Credentials(o)
			if err == nil || tt.is != nil && !errors.Is(err, tt.is) || strings.Contains(err.Error(), "secret!") {
				t.Errorf("error %v, want %v", err, tt.is)
			}
		})
	}
}

func TestParseMethod(t *testing.T) {
	if m, err := ParseMethod("SHA256"); m != SHA256 || err != nil {
		t.Errorf("SHA256: %q, %v", m, err)
	}
	if _, err := ParseMethod("sha3"); err == nil {
		t.Error("sha3 was taken")
	}
}

func FuzzParseToken(f *testing.F) {
	for _, s := range []string{officialToken, sha1Token, seedToken, productMD5, sha1Token + "\r\n", "sign=%&et=1", "version=1&res=a%2fb&et=1&method=MD5&sign=QQ=="} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, password []byte) {
		first, err := ParseToken(password)
		if err != nil {
			return
		}
		second, err := ParseToken([]byte(first.String()))
		first.Quirks = 0
		if err != nil || first != second {
			t.Errorf("%q: %+v became %+v, %v", password, first, second, err)
		}
	})
}
