-- Every answer must be a 304.
function response(status)
  if status ~= 304 then
    io.stderr:write("status " .. status .. "\n")
    wrk.thread:stop()
    os.exit(1)
  end
end
