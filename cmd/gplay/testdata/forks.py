"""Runs Ansible's commands, one a line of JSON: argv, dir, env, stdin, stdout
and stderr. The answer is a line with its exit code, negative for a signal.

Each is a fork of this process, which has imported everything that Ansible
imports but Ansible's own code (that reads its settings when it is imported).
It takes half of the time."""
import gc
import importlib
import json
import os
import runpy
import sys

for name in """
    ansible.module_utils.basic ansible.module_utils.common.yaml ansible.module_utils.connection ansible.module_utils.facts
    ansible.module_utils.urls argcomplete asyncio cmd configparser cryptography.hazmat.backends.openssl.backend
    cryptography.hazmat.primitives.ciphers cryptography.hazmat.primitives.hmac cryptography.hazmat.primitives.kdf.pbkdf2
    cryptography.hazmat.primitives.padding getpass jinja2.nativetypes jinja2.sandbox multiprocessing.popen_fork
    multiprocessing.queues multiprocessing.synchronize packaging.specifiers pty tomllib xml.dom.minidom xml.etree.ElementTree yaml
""".split():
    try:
        importlib.import_module(name)
    except ImportError:
        pass  # it is imported when it is needed
gc.freeze()


def become(job):
    for number, (path, flags) in enumerate([(job["stdin"], os.O_RDONLY), (job["stdout"], os.O_WRONLY), (job["stderr"], os.O_WRONLY)]):
        fd = os.open(path, flags)
        os.dup2(fd, number)
        os.close(fd)
    os.environ.clear()
    os.environ.update(job["env"])
    os.chdir(job["dir"])
    sys.argv = job["argv"]
    runpy.run_path(sys.argv[0], run_name="__main__")


for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        become(json.loads(line))
        sys.exit()
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
