package modules_test

import (
	"testing"

	"gplay/modules"
	"gplay/modules/moduletest"
)

// The programs that these run stand in the cases, as scripts.

func TestApk(t *testing.T)            { moduletest.Run(t, modules.Apk) }
func TestCron(t *testing.T)           { moduletest.Run(t, modules.Cron) }
func TestDebconf(t *testing.T)        { moduletest.Run(t, modules.Debconf) }
func TestDnf(t *testing.T)            { moduletest.Run(t, modules.Dnf) }
func TestDpkgSelections(t *testing.T) { moduletest.Run(t, modules.DpkgSelections) }
func TestGetent(t *testing.T)         { moduletest.Run(t, modules.Getent) }
func TestPip(t *testing.T)            { moduletest.Run(t, modules.Pip) }
func TestSetupCases(t *testing.T)     { moduletest.Run(t, modules.Setup) }
func TestSysctl(t *testing.T)         { moduletest.Run(t, modules.Sysctl) }
func TestYum(t *testing.T)            { moduletest.Run(t, modules.Yum) }
