package modules_test

import (
	"testing"

	"gplay/modules"
	"gplay/modules/moduletest"
)

func TestCommand(t *testing.T)     { moduletest.Run(t, modules.Command) }
func TestFile(t *testing.T)        { moduletest.Run(t, modules.File) }
func TestPing(t *testing.T)        { moduletest.Run(t, modules.Ping) }
func TestProgram(t *testing.T)     { moduletest.Run(t, modules.Program) }
func TestRaw(t *testing.T)         { moduletest.Run(t, modules.Raw) }
func TestScript(t *testing.T)      { moduletest.Run(t, modules.Script) }
func TestShell(t *testing.T)       { moduletest.Run(t, modules.Shell) }
func TestAssemble(t *testing.T)    { moduletest.Run(t, modules.Assemble) }
func TestCopy(t *testing.T)        { moduletest.Run(t, modules.Copy) }
func TestFetch(t *testing.T)       { moduletest.Run(t, modules.Fetch) }
func TestSlurp(t *testing.T)       { moduletest.Run(t, modules.Slurp) }
func TestStat(t *testing.T)        { moduletest.Run(t, modules.Stat) }
func TestTempfile(t *testing.T)    { moduletest.Run(t, modules.Tempfile) }
func TestBlockinfile(t *testing.T) { moduletest.Run(t, modules.Blockinfile) }
func TestFindFiles(t *testing.T)   { moduletest.Run(t, modules.FindFiles) }
func TestIniFile(t *testing.T)     { moduletest.Run(t, modules.IniFile) }
func TestKnownHosts(t *testing.T)  { moduletest.Run(t, modules.KnownHosts) }
func TestLineinfile(t *testing.T)  { moduletest.Run(t, modules.Lineinfile) }
func TestReplace(t *testing.T)     { moduletest.Run(t, modules.Replace) }
func TestAsyncStatus(t *testing.T) { moduletest.Run(t, modules.AsyncStatus) }
