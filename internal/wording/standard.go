package wording

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
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
	}
	return ""
}

func fileTrouble(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "没有这个文件或目录"
	case errors.Is(err, fs.ErrPermission):
		return "没有权限"
	case errors.Is(err, syscall.EISDIR):
		return "这是目录，不是文件"
	case errors.Is(err, syscall.ENOTDIR):
		return "路径中有一段不是目录"
	}
	return ""
}
