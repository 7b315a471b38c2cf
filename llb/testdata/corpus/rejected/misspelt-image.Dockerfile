FROM busibox:missing
