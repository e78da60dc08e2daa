using System.CommandLine;
using Sankore;

var urls = new Option<string>(
    "--urls")
{ Description = "Address to serve at", DefaultValueFactory = _ => "http://127.0.0.1:5080", Recursive = true };
var data = new Option<string>(
    "--data")
{ Description = "Folder for the embedded PostgreSQL and for files", DefaultValueFactory = _ => ".data", Recursive = true };
var demo = new Option<string?>("--demo") { Description = "Demo network to load into an empty database: none, small or full" };
demo.AcceptOnlyFromAmong("none", "small", "full");
var email = new Argument<string>("email") { Description = "Whom to invite" };

var invite = new Command("invite", "Invite another administrator; prints the link and mails it") { email };
invite.SetAction((parsed, ct) => Server.Invite(parsed.GetValue(urls)!, parsed.GetValue(data)!, parsed.GetValue(email)!, ct));
var root = new RootCommand(
    "Sankoré: the open platform for networks of schools") { urls, data, demo, new Command("admin", "Administrators") { invite } };
root.SetAction((parsed, ct) => Server.Run(parsed.GetValue(urls)!, parsed.GetValue(data)!, parsed.GetValue(demo), ct));

return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
