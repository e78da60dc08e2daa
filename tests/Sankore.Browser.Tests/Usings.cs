global using Microsoft.Playwright;
global using Sankore.Browser.Tests.Support;
global using Sankore.Tests.Support;
global using Shouldly;
global using Xunit;
global using static Microsoft.Playwright.Assertions;
