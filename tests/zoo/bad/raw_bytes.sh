# A client in bash that writes each byte of a message to the terminal as it came.
# zoo: client lab
# fails: text/controls text/escapes text/invalid text/nul text/overrides

export LC_ALL=C # so that lengths count bytes
exec 3<>"/dev/tcp/$1/$2" || { echo "cannot connect" >&2; exit 1; }

stop() {
    echo "the conversation is over: $1" >&2
    exit 1
}

# Send a typed line that fits into a message.
say() {
    while :; do
        IFS= read -r line || line=BYEBYE
        [ ${#line} -le 255 ] && break
        echo "not sent: 255 bytes is the most"
    done
    read -r -t 0 -u 3 && stop "the server is gone, or spoke out of turn"
    printf '%03d%s' ${#line} "$line" >&3 || stop "the server is gone"
}

# Read exactly so many bytes. Bash keeps no NUL, so od and printf carry them as numbers.
receive_exactly() {
    numbers=
    left=$1
    while [ "$left" -gt 0 ]; do
        piece=$(dd bs="$left" count=1 <&3 2>/dev/null | od -An -v -to1 | tr -d '\n')
        [ -n "$piece" ] || stop "the server is gone"
        numbers="$numbers$piece"
        set -- $piece
        left=$((left - $#))
    done
}

show() {
    for number in $1; do
        printf '%b' "\\0$number"
    done
    echo
}

while :; do
    say
    [ "$line" = BYEBYE ] && break
    receive_exactly 3
    header=$(for number in $numbers; do printf '%b' "\\0$number"; done)
    case $header in [0-9][0-9][0-9]) ;; *) stop "a bad length" ;; esac
    length=$((10#$header))
    [ "$length" -le 255 ] || stop "a bad length"
    receive_exactly "$length"
    show "$numbers"
    [ "$numbers" = " 102 131 105 102 131 105" ] && break
done
exec 3>&-
