"""Tells short lines that are a page's, not the text's: menus, copyright.

Each pattern is of a whole line, or of its beginning, so that a sentence which
speaks of copyright or of a menu is none. Who adds one adds a near miss to the
tests.
"""

import re

# All in lower case, as lines are when they are looked at.
# A line that is nothing else, but for marks around it.
_WHOLE = (
    # Chinese
    "(?:返回|回到)?(?:首页|主页|顶部|目录|列表|上一级|页首)",
    "上一[篇页章]|下一[篇页章]|没有了",
    "(?:点击|点此|点这里)?(?:查看|阅读|加载|展开|显示|进入|了解|浏览)"
    "(?:更多|全文|全部|原文|大图|详情|完整版)(?:内容|信息|详情)?",
    "(?:阅读|展开)(?:更多|全文|原文)|更多(?:内容|精彩|详情|新闻|资讯|推荐)?",
    "(?:相关|热门|推荐|延伸|更多|最新|精彩)"
    "(?:阅读|新闻|文章|推荐|链接|资讯|专题|标签|评论|搜索|内容|图文|视频)",
    "猜你喜欢|大家都在看|您可能感兴趣的|热点排行|点击排行|排行榜",
    "(?:加入|添加)(?:书签|收藏)|收藏(?:本页|本文|本站)?|设为首页|加入收藏",
    "(?:打印|关闭)(?:本页|本文|窗口|页面)?|我要(?:评论|投诉|纠错|分享)",
    "(?:立即|免费|用户)?(?:登录|登陆|注册)|忘记密码|找回密码|退出登录",
    "(?:发表|查看|我来说两句|全部|网友)(?:评论|回复)|暂无评论",
    "(?:网站|站点)?(?:地图|导航)|联系我们|关于我们|免责声明|法律声明"
    "|隐私(?:政策|声明|条款)|服务(?:条款|协议)|友情链接|广告服务|诚聘英才",
    "(?:分享|转发)(?:到|至)?(?:微信|微博|朋友圈|qq空间|qq|空间)?",
    "(?:字号|字体)?[:：]?大中小|扫一扫|手机版|电脑版|客户端下载",
    "(?:发表|发布|更新)(?:于|时间|日期)[:：]? ?[-0-9 :：/年月日.]{4,24}",
    "(?:(?:阅读|浏览|点击|评论|上传|下载)(?:次数|量|数)?"
    "[:：(（] ?[0-9]{1,9}[)）次人]? ?){1,4}",
    # English
    "(?:read|learn|see|show|load|view|find out) more|continue reading"
    "|(?:click|tap) (?:here|(?:here )?to (?:share|enlarge|expand|zoom|print"
    "|continue|read|view|see|learn|play))(?: [a-z ]{1,30})?",
    "skip to (?:main )?(?:content|navigation)|(?:back|scroll|return) to top",
    "(?:go )?(?:back )?to (?:home|homepage|main page)|site ?map",
    "log ?in|sign ?(?:in|up)|log ?out|forgot (?:your )?password",
    "(?:share|tweet|pin|email|print)(?: (?:it|this|on|via|to|with|friends"
    "|page|article|post|story|by|facebook|twitter|linkedin|pinterest|reddit"
    "|whatsapp|email|e-mail)){1,4}",
    "(?:follow|like|find|join) us(?: on [a-z ]{2,30})?",
    "(?:subscribe|sign up)(?: (?:now|here|today|to|for|our|the|rss|email|free"
    "|weekly|daily|newsletter|feed|updates|mailing|list)){1,6}",
    "(?:previous|next|older|newer)(?: (?:post|article|page|story|entries))s?",
    "(?:related|popular|recent|latest|trending|recommended|similar)"
    " (?:posts?|articles?|stories|news|topics|content|links|reading)",
    "(?:leave|post|add|write) a (?:comment|reply)|cancel reply"
    "|(?:no|[0-9]+) comments?|comments? \\([0-9]+\\)|comments are closed",
    "(?:our )?(?:privacy|cookies?) (?:policy|notice|settings|preferences)"
    "|terms (?:of|and) (?:use|service|conditions)|contact us|about us"
    "|advertise(?: with us)?|advertisement|sponsored(?: content)?|careers",
    "accept (?:all )?(?:cookies)?|(?:got it|i agree)",
)
# How a line begins; up to 40 characters may follow.
_BEGINNING = (
    "[上下]一[篇页章条][:： ]",
    "(?:本文)?(?:责任|值班|执行|实习)?(?:编辑|责编|校对|审核|编审)"
    "[:：/／](?=[^，。！？]*$)",
    "(?:责任编辑|责编)(?:[ 】]|(?=.{0,6}$))",
    "(?:本文|文章|新闻)?(?:来源|稿源)[:：](?=[^，。！？]*$)",
    "(?:当前|您的|您当前的|你的|所在|您现在的)(?:所在)?位置[:：]",
    "分享(?:到|至)[:：]|(?:文章)?(?:标签|关键字|关键词)[:：]",
    "(?:本帖|本主题)(?:最后)?由",
    "字[号体][:：] ?[大中小]",
    "(?:请)?(?:扫描|扫一扫|长按|微信扫|识别)(?!后)[^，。]{0,12}二维码",
    "(?:欢迎|请|敬请)?关注(?:我们的?|本站|官方)?(?:微信|微博|公众号)",
    "posted (?:by|on|in)[: ]|filed under|tagged(?: with)?:|tags?:",
    "last (?:updated|modified)(?: on)?:? [0-9]|share (?:this|on)[ :]",
    "follow us|subscribe to (?:our|the)|sign up for (?:our|the)",
    "you must be logged in|(?:skip|jump) to (?:content|main|navigation)",
    "(?:photo|image) (?:by|credits?|courtesy of):",
)
# What a line may say anywhere, if it is not long.
_ANYWHERE = (
    "版[权權]所有(?:[:：©]|$)|^[^，。]{0,20}版[权權]所有(?![者人的])",
    "未[经經][^。]{0,24}(?:不得|[请請]勿|禁止|严禁|嚴禁|谢绝|謝絕)"
    "[^，。]{0,12}(?:[转轉][载載]|建立镜像|使用)|翻印必究",
    "^(?:不得|[请請]勿|禁止|严禁|嚴禁|谢绝|謝絕)[^，。]{0,8}[转轉][载載]",
    "^[^。！？]{0,40}返回搜狐，查看更多",
    "[转轉][载載]+[请請][注註]明|[转轉][载載][请請][标標保][明留]",
    "[京沪津渝粤浙苏鲁川鄂湘闽皖冀豫辽吉黑晋陕甘桂琼贵云赣藏青宁新蒙]"
    "(?:icp[备证]|公网安备)|icp备[0-9]|(?:经营许可证|许可证编?号|备案号)[:：]",
    "不良信息举报(?:电话|邮箱|热线|中心$)|举报(?:电话|邮箱)[:：]",
    "登[录錄陆]后?才?(?:可以|能|方可)[^，。]{0,6}(?:回帖|评论|发表|查看)",
    "[您你]的?(?:浏览器|瀏覽器)[^，。]{0,8}(?:不支持|版本[过過]低)"
    "|[请請](?:先)?(?:启用|開啟|开启|打开)[^，。]{0,6}javascript",
    "all rights reserved|^(?:copyright|©|\\(c\\)|&copy;) ?(?:©|\\(c\\))? ?[12]",
    "^(?:版[权權]所有|copyright) ?(?:©|\\(c\\))",
    "(?:enable|activate|turn on|requires?) javascript"
    "|javascript (?:is|must be|has been|seems to be|to be) "
    "(?:disabled|enabled|required|turned)",
    "(?:we|site|website|page) (?:may )?uses? (?:of )?cookies"
    "|use of cookies|accept (?:all )?cookies",
    "this (?:story|article|post) (?:was )?(?:originally|first) "
    "(?:published|appeared)",
)
_MARKS = "\\s\\[\\]()（）【】《》<>«»‹›〉〈|｜·•・:：>＞→←↑↓▲▼….。!！?#*_—–-"
_START = re.compile(
    f"[{_MARKS}]*+(?:(?:{'|'.join(_WHOLE)})[{_MARKS}]*$"
    f"|(?:{'|'.join(_BEGINNING)}).{{0,40}}$)"
)
_INSIDE = re.compile("|".join(_ANYWHERE))
# One of these stands in all that `_INSIDE` finds. Literals alone are fast.
_KEY = re.compile(
    "版权|版權|转载|轉載|翻印|镜像|使用|icp|网安备|许可证|备案号|举报|回帖|评论|"
    "发表|查看|浏览器|瀏覽器|javascript|rights|copyright|©|\\(c\\)|cookies|"
    "published|appeared"
)
_MENU = """
首页 主页 新闻 体育 财经 娱乐 科技 汽车 房产 教育 军事 国内 国际 社会 时尚
健康 旅游 游戏 视频 图片 论坛 博客 微博 登录 注册 关于我们 联系我们 网站地图
免责声明 友情链接 广告服务 招聘 帮助 客服 搜索 设为首页 加入收藏 返回首页
隐私政策 服务条款 版权声明 意见反馈 首頁 新聞 體育 財經 娛樂 登入
home news sports about contact login register search help faq blog forum shop
store cart products services privacy terms sitemap careers support entertainment
business technology health politics video photos
about_us contact_us sign_in sign_up log_in site_map privacy_policy terms_of_use
terms_of_service my_account
"""
_MENU_WORDS = frozenset(x.replace("_", " ") for x in _MENU.split())
_SEPARATOR = re.compile(r"\s*[|｜│┃·•»›>＞→]\s*|\s{2,}|\s[-–—]\s")
_FEWEST_ITEMS = 3
_MOST_INSIDE = 80


def is_boilerplate(line: str, may_be_menu: bool) -> bool:
    """Whether a line says nothing of its document.

    Args:
        line: at most `scanning.MAX_SHORT` characters.
        may_be_menu: whether it has the marks of one, as `scanning` says.
    """
    line = line.lower()
    return (
        _START.match(line) is not None
        or _says_so_inside(line)
        or (may_be_menu and _is_menu(line))
    )


def _says_so_inside(line):
    # A longer line of Chinese is a paragraph that ends in such a note.
    if len(line) > _MOST_INSIDE and not line.isascii():
        return False
    found = _KEY.search(line) and _INSIDE.search(line)
    return found is not None


def _is_menu(line):
    """Whether words of menus stand in a row: 首页 | 新闻 | 体育."""
    items = [item.strip(" []【】") for item in _SEPARATOR.split(line) if item]
    num_known = sum(item in _MENU_WORDS for item in items)
    if len(items) >= _FEWEST_ITEMS and num_known >= 2:
        return 2 * num_known >= len(items)
    items = line.split()
    return len(items) >= _FEWEST_ITEMS and _MENU_WORDS.issuperset(items)
