module example.com/count-words

go 1.19
