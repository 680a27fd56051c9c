package wording

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"syscall"
)

// standard is the Chinese of what Go's own packages say of files that people
// give us, "" for anything else.
func standard(err error) string {
	switch e := err.(type) {
	case *fs.PathError:
		if why := fileTrouble(e.Err); why != "" {
			return fmt.Sprintf("无法打开 %s：%s", e.Path, why)
		}
	case *os.LinkError:
		if why := fileTrouble(e.Err); why != "" {
			return fmt.Sprintf("无法创建链接 %s：%s", e.New, why)
		}
	case *net.OpError:
		switch {
		case e.Op != "listen":
		case errors.Is(e, syscall.EADDRINUSE):
			return fmt.Sprintf("无法监听 %s：端口已被占用", e.Addr)
		case errors.Is(e, syscall.EADDRNOTAVAIL):
			return fmt.Sprintf("无法监听 %s：本机没有这个地址", e.Addr)
		case errors.Is(e, fs.ErrPermission):
			return fmt.Sprintf("无法监听 %s：没有权限", e.Addr)
		}
	case *csv.ParseError:
		switch {
		case errors.Is(e, csv.ErrFieldCount):
			return fmt.Sprintf("第 %d 行的列数与首行不同", e.Line)
		case errors.Is(e, csv.ErrQuote), errors.Is(e, csv.ErrBareQuote):
			return fmt.Sprintf("第 %d 行第 %d 列的引号位置不对或没有闭合", e.Line, e.Column)
		}
	case *json.SyntaxError:
		if e.Error() == "unexpected end of JSON input" {
			return "JSON 不完整"
		}
		return fmt.Sprintf("不是有效的 JSON（第 %d 字节）", e.Offset)
	case *json.UnmarshalTypeError:
		if e.Field == "" {
			return fmt.Sprintf("JSON 的类型不对，收到的是%s（第 %d 字节）", jsonKind(e.Value), e.Offset)
		}
		return fmt.Sprintf("成员 %s 的类型不对，收到的是%s", e.Field, jsonKind(e.Value))
	}
	if member, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return "无法识别的成员 " + member
	}
	return ""
}

// jsonKind is in Chinese what encoding/json calls a value; it writes a number
// together with its digits.
func jsonKind(value string) string {
	kind, rest, _ := strings.Cut(value, " ")
	zh := map[string]string{"string": "字符串", "number": "数字", "bool": "布尔值", "array": "数组", "object": "对象"}[kind]
	if zh == "" {
		return value
	}
	return strings.TrimSpace(zh + " " + rest)
}

func fileTrouble(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "没有这个文件或目录"
	case errors.Is(err, fs.ErrExist):
		return "已经存在"
	case errors.Is(err, fs.ErrPermission):
		return "没有权限"
	case errors.Is(err, syscall.EISDIR):
		return "这是目录，不是文件"
	case errors.Is(err, syscall.ENOTDIR):
		return "路径中有一段不是目录"
	}
	return ""
}
