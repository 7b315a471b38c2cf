package review

var testRules, contentRules, copyRules, layerRules, cacheRules, secretRules, shellRules []Rule
