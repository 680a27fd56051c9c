"""Runs one function of a paho.mqtt.testing client suite, or lists them.

    driver.py SUITE MODULE list
    driver.py SUITE MODULE HOST PORT FUNCTION

The suite's modules set their globals only when they are programs; here they
are set from outside, so that each function can have a process of its own.
"""
import importlib
import logging
import sys
import unittest

suite, name = sys.argv[1:3]
sys.path.insert(0, suite)
module = importlib.import_module(name)

if sys.argv[3] == "list":
    for function in vars(module.Test):
        if function.startswith("test") or function.endswith("_test"):
            print(function)
    sys.exit()

prefix = "client_test5/" if name == "client_test5" else ""
module.host, module.port = sys.argv[3], int(sys.argv[4])
module.topic_prefix = prefix
module.topics = [prefix + t for t in ("TopicA", "TopicA/B", "Topic/C", "TopicA/C", "/TopicA")]
module.wildtopics = [prefix + t for t in ("TopicA/+", "+/C", "#", "/#", "/+", "+/+", "TopicA/#")]
module.nosubscribe_topics = ("test/nosubscribe",)
logging.getLogger().setLevel(logging.ERROR)

result = unittest.TextTestRunner(verbosity=0).run(unittest.TestSuite([module.Test(sys.argv[5])]))
sys.exit(0 if result.wasSuccessful() and result.testsRun == 1 else 1)
